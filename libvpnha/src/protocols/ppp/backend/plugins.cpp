// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "host/os/log.hpp"
#include "protocols/ppp/backend/plugin_session.hpp"
#include "protocols/ppp/plugin_event.hpp"

namespace vpnha::runtime {

namespace {

// Whatever a plugin sends, no sum of times overflows: 136 years.
constexpr std::chrono::milliseconds kBootMsMax{std::int64_t{1} << 42};

}  // namespace

Result<void> Plugins::open() {
    adapters::PluginListener listener{
        .on_asks =
            [this](adapters::PluginClientId client, const adapters::PluginAsks& asks) {
                run_(node_.on_plugin_asks(client.value, asks.gateway, asks.user, loop_.now()));
            },
        .on_up = [this](adapters::PluginClientId client,
                        const adapters::PluginSessionUp& up) { on_up(client, up); },
        .on_down =
            [this](adapters::PluginClientId client, const adapters::PluginSessionDown& down) {
                strays_.remove(client);
                run_(node_.on_plugin_down(client.value, loop_.now(), {down.cause, down.traffic}));
            },
        .on_gone = [this](adapters::PluginClientId client,
                          bool announced) { on_gone(client, announced); },
        .on_malformed = [this](pid_t pid, const Error& error) { on_malformed(pid, error); }};
    VPNHA_TRY(server_,
              adapters::PluginServer::open(loop_, config_.plugin_socket, std::move(listener)));
    return {};
}

void Plugins::on_up(adapters::PluginClientId client, const adapters::PluginSessionUp& up) {
    const TimePoint established(std::chrono::milliseconds(
        std::min(up.established_boot_ms, static_cast<std::uint64_t>(kBootMsMax.count()))));
    const config::Gateway* const gateway = config_.find(up.gateway);
    const auto news = plugin_session(
        client.value, up, config_, nodes_, protocols_,
        gateway == nullptr ? 0 : node_.find(gateway->id)->cores().clock.at(established));
    if (!news) {
        server_->answer(client, news.error().detail);
        if (strays_.put(client, {up.gateway, up.facts.user, to_string(up.facts.peer_address),
                                 up.facts.interface, established, news.error().detail})) {
            adapters::write_log(
                LogLevel::warning,
                fmt::format("no gateway keeps a session event=unprotected interface={} user={}: {}",
                            up.facts.interface, up.facts.user, news.error().detail));
        }
        return;
    }
    strays_.remove(client);
    run_(node_.on_plugin_up(client.value, up.gateway, news->session, news->not_resumable,
                            loop_.now(), up.radius));
}

void Plugins::on_malformed(pid_t pid, const Error& error) {
    if (!malformed_log_.take(loop_.now())) {
        return;
    }
    adapters::write_log(LogLevel::warning,
                        fmt::format("a message of a pppd does not parse; its plugin is of another "
                                    "version than vpnhad event=plugin-malformed pid={}: {}",
                                    pid, error.detail));
}

void Plugins::on_gone(adapters::PluginClientId client, bool announced) {
    strays_.remove(client);
    for (ports::PppProtocol* const each : protocols_) {
        each->on_pppd_gone(client.value, announced);
    }
    run_(node_.on_plugin_down(client.value, loop_.now()));
}

}  // namespace vpnha::runtime
