// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/os/log.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::runtime {

SetupEvents::SetupEvents(adapters::QbLoop& loop, const config::Config& config)
    : config_(config),
      path_(config.state_directory + "/setup"),
      memory_(SetupMemory::parse(adapters::read_text(path_))),
      saved_(memory_.encode()),
      background_(loop) {}

void SetupEvents::handle(const std::vector<wire::Setup>& setups,
                         std::optional<std::uint64_t> key_mark) {
    if (!key_mark) {
        return;
    }
    for (const SetupMemory::Change& change : memory_.take(setups, *key_mark)) {
        const auto gateway =
            std::ranges::find(config_.gateways, change.gateway, &config::Gateway::id);
        adapters::write_log(
            LogLevel::info,
            line_of(change, gateway == config_.gateways.end() ? "" : gateway->name));
    }
    if (std::string text = memory_.encode(); text != saved_) {
        save(std::move(text));
    }
}

void SetupEvents::save(std::string text) {
    saved_ = std::move(text);
    const auto log_end = [](const Result<void>& saved) {
        adapters::log_failure("changes until the next start of vpnhad will not be logged", saved);
    };
    if (const Result<void> started = background_.run(
            [path = path_, text = saved_] { return adapters::replace_text(path, text); }, log_end);
        !started) {
        log_end(started);
    }
}

}  // namespace vpnha::runtime
