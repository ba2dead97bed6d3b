// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/pppd/plugin_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "effects/l2tp_work.hpp"
#include "effects/pptp_work.hpp"
#include "ppp/proxied_address.hpp"
#include "runtime/routing/client_addresses.hpp"

namespace vpnha::runtime {

namespace {

void add_reason(std::string& reasons, const std::string& reason) {
    if (!reason.empty()) {
        reasons += (reasons.empty() ? "" : "; ") + reason;
    }
}

l2tp::SessionKey key_of(const adapters::PluginL2tp& ids, const config::Gateway& gateway) {
    Ipv4Endpoint local;
    if (gateway.l2tp) {
        local = {gateway.dialled_address(), gateway.l2tp->port};
    }
    return adapters::session_key(ids, local);
}

// On which sides of the gateway the node answers in the client's place. What no other node could
// do is a reason.
std::vector<ppp::ProxiedAddress> sides_of(const std::vector<adapters::PluginProxied>& proxied,
                                          const config::Gateway& gateway, std::string& reasons) {
    std::vector<ppp::ProxiedAddress> with_sides;
    for (const auto& [address, interface] : proxied) {
        const auto* const side =
            std::ranges::find(kLinkSides, interface,
                              [&gateway](LinkSide each) { return gateway.side(each).interface; });
        const bool is_pooled = std::ranges::any_of(
            gateway.pools,
            [&address = address](const IpPrefix& pool) { return contains(pool, address); });
        if (side == std::end(kLinkSides)) {
            add_reason(reasons, fmt::format("the node answers ARP for {} on {}, which is no device "
                                            "of the gateway",
                                            to_string(address), interface));
        } else if (!is_pooled) {
            add_reason(reasons,
                       fmt::format("the node answers ARP for {}, which is in none of the gateway's "
                                   "pools",
                                   to_string(address)));
        } else {
            with_sides.push_back({*side, address});
        }
    }
    return with_sides;
}

}  // namespace

Result<PluginNews> plugin_session(adapters::PluginClientId client,
                                  const adapters::PluginSessionUp& up, const config::Config& config,
                                  const std::vector<adapters::ClusterNode>& nodes, Pptp* pptp,
                                  std::uint64_t established_unix_ms) {
    PluginNews news;
    for (const std::string& reason : up.not_resumable) {
        add_reason(news.not_resumable, reason);
    }
    const config::Gateway* const gateway = config.find(up.gateway);
    if (std::holds_alternative<adapters::PluginOther>(up.ids)) {
        return fail(Errc::unsupported, news.not_resumable);
    }
    if (up.gateway.empty()) {
        return fail(Errc::not_found, "pppd has no option vpnha_gateway");
    }
    if (gateway == nullptr) {
        return fail(Errc::not_found, fmt::format("no gateway '{}' in vpnha.toml", up.gateway));
    }
    add_reason(news.not_resumable, hindrance_of_addresses(config, *gateway, nodes,
                                                          up.facts.peer_address, up.facts.routes));
    ppp::SessionFacts facts = up.facts;
    facts.established_unix_ms = established_unix_ms;
    facts.proxied = sides_of(up.proxied, *gateway, news.not_resumable);
    if (!gateway->resume_scripts) {
        for (const std::string& reason : up.done_by_scripts) {
            add_reason(news.not_resumable, reason + " (resume_scripts would do it again)");
        }
    }
    if (const auto* const l2tp = std::get_if<adapters::PluginL2tp>(&up.ids)) {
        news.session =
            node::stock_session(l2tp::SessionRecord{key_of(*l2tp, *gateway), std::move(facts)});
    } else if (!gateway->pptp) {
        return fail(Errc::unsupported,
                    fmt::format("gateway '{}' has no table [pptp] in vpnha.toml", up.gateway));
    } else {
        Pptp::Reported stock = pptp->on_plugin_up(
            client, *gateway, std::get<adapters::PluginPptp>(up.ids), std::move(facts));
        add_reason(news.not_resumable, stock.not_resumable);
        news.session = node::stock_session(std::move(stock.call));
    }
    return news;
}

}  // namespace vpnha::runtime
