// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/plugin_session.hpp"

#include <fmt/format.h>

namespace vpnha::runtime {

namespace {

void add_reason(std::string& reasons, const std::string& reason) {
    if (!reason.empty()) {
        reasons += (reasons.empty() ? "" : "; ") + reason;
    }
}

l2tp::SessionRecord record_of(const adapters::PluginL2tp& ids, const adapters::PluginLink& link,
                              const config::Gateway* gateway) {
    Ipv4Endpoint local;
    if (gateway != nullptr && gateway->l2tp) {
        local = {gateway->dialled_address(), gateway->l2tp->port};
    }
    return adapters::session_record(ids, link, local);
}

}  // namespace

Result<PluginNews> plugin_session(adapters::PluginClientId client,
                                  const adapters::PluginSessionUp& up, const config::Config& config,
                                  Pptp* pptp) {
    PluginNews news;
    for (const std::string& reason : up.not_resumable) {
        add_reason(news.not_resumable, reason);
    }
    const config::Gateway* const gateway = config.find(up.gateway);
    if (const auto* const l2tp = std::get_if<adapters::PluginL2tp>(&up.ids)) {
        news.session = record_of(*l2tp, up.link, gateway);
    } else if (gateway == nullptr) {
        news.session = node::PluginCall{};  // The node knows no such gateway, either.
    } else if (!gateway->pptp) {
        return fail(Errc::unsupported,
                    fmt::format("gateway '{}' has no table [pptp] in vpnha.toml", up.gateway));
    } else {
        Pptp::StockCall stock =
            pptp->on_plugin_up(client, *gateway, std::get<adapters::PluginPptp>(up.ids), up.link);
        add_reason(news.not_resumable, stock.not_resumable);
        news.session = std::move(stock.call);
    }
    return news;
}

}  // namespace vpnha::runtime
