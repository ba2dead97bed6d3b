// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/views/events_view.hpp"

#include <string>

#include "host/os/log.hpp"
#include "host/os/utc.hpp"

namespace vpnha::runtime {

using nlohmann::json;

json events_view(std::uint64_t instance, std::span<const adapters::Event> events) {
    json list = json::array();
    for (const adapters::Event& each : events) {
        list.push_back({{"sequence", each.sequence},
                        {"time", adapters::utc_us(each.unix_us)},
                        {"level", adapters::level_word(each.level)},
                        {"event", each.word},
                        {"fields", each.fields},
                        {"text", each.text}});
    }
    return {{"instance", std::to_string(instance)}, {"events", std::move(list)}};
}

}  // namespace vpnha::runtime
