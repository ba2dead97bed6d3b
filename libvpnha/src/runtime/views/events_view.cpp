// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/views/events_view.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace vpnha::runtime {

namespace {

using nlohmann::json;

const char* level_word(node::Level level) {
    switch (level) {
        case node::Level::warning:
            return "warning";
        case node::Level::info:
            return "info";
        case node::Level::debug:
            return "debug";
        case node::Level::error:
            break;
    }
    return "error";
}

// As in the log.
std::string utc_us(std::uint64_t unix_us) {
    const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, unix_us % 1'000'000);
}

}  // namespace

json events_view(std::uint64_t instance, std::span<const adapters::Event> events) {
    json list = json::array();
    for (const adapters::Event& each : events) {
        list.push_back({{"sequence", each.sequence},
                        {"time", utc_us(each.unix_us)},
                        {"level", level_word(each.level)},
                        {"event", each.word},
                        {"fields", each.fields},
                        {"text", each.text}});
    }
    return {{"instance", std::to_string(instance)}, {"events", std::move(list)}};
}

}  // namespace vpnha::runtime
