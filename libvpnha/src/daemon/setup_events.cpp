// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "host/os/log.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::runtime {

namespace {

Result<void> replace_file(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    VPNHA_CHECK(adapters::write_text(fresh, text));
    return std::rename(fresh.c_str(), path.c_str()) == 0
               ? Result<void>{}
               : tl::unexpected(system_error("renaming " + fresh, errno));
}

}  // namespace

SetupEvents::SetupEvents(adapters::QbLoop& loop, const config::Config& config)
    : config_(config),
      path_(config.state_directory + "/setup"),
      memory_(SetupMemory::parse(adapters::read_text(path_))),
      saved_(memory_.encode()),
      background_(loop) {}

void SetupEvents::hear(const std::vector<wire::Setup>& setups,
                       std::optional<std::uint64_t> key_mark) {
    if (!key_mark) {
        return;
    }
    for (const SetupMemory::Change& change : memory_.take(setups, *key_mark)) {
        const auto gateway =
            std::ranges::find(config_.gateways, change.gateway, &config::Gateway::id);
        adapters::write_log(
            node::Level::info,
            line_of(change, gateway == config_.gateways.end() ? "" : gateway->name));
    }
    if (memory_.encode() != saved_) {
        save();
    }
}

void SetupEvents::save() {
    saved_ = memory_.encode();
    const auto log_end = [](const Result<void>& saved) {
        adapters::log_failure("changes until the next start of vpnhad will not be logged", saved);
    };
    if (const Result<void> started = background_.run(
            [path = path_, text = saved_] { return replace_file(path, text); }, log_end);
        !started) {
        log_end(started);
    }
}

}  // namespace vpnha::runtime
