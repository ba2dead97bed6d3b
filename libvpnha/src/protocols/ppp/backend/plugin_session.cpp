// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "protocols/ppp/backend/client_addresses.hpp"
#include "protocols/ppp/model/proxied_address.hpp"

namespace vpnha::runtime {

namespace {

void add_reason(std::string& reasons, const std::string& reason) {
    if (!reason.empty()) {
        reasons += (reasons.empty() ? "" : "; ") + reason;
    }
}

// The sides of the gateway on which the node answers instead of the client. An entry that no other
// node could make is added to the reasons.
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

Result<ports::PppProtocol::Session> plugin_session(
    PluginToken plugin, const adapters::PluginSessionUp& up, const config::Config& config,
    const std::vector<adapters::ClusterNode>& nodes,
    const std::vector<ports::PppProtocol*>& protocols, std::uint64_t established_unix_ms) {
    std::string reasons;
    for (const std::string& reason : up.not_resumable) {
        add_reason(reasons, reason);
    }
    if (up.protocol == adapters::kOtherProtocol) {
        return fail(Errc::unsupported, reasons);
    }
    if (up.gateway.empty()) {
        return fail(Errc::not_found, "pppd has no option vpnha_gateway");
    }
    const config::Gateway* const gateway = config.find(up.gateway);
    if (gateway == nullptr) {
        return fail(Errc::not_found, fmt::format("no gateway '{}' in vpnha.toml", up.gateway));
    }
    const auto protocol = std::ranges::find_if(protocols, [&](const ports::PppProtocol* each) {
        return each->name() == up.protocol && each->serves(*gateway);
    });
    if (protocol == protocols.end()) {
        return fail(Errc::unsupported, fmt::format("gateway '{}' has no table [{}] in vpnha.toml",
                                                   up.gateway, up.protocol));
    }
    add_reason(reasons, hindrance_of_addresses(config, *gateway, nodes, up.facts.peer_address,
                                               up.facts.routes));
    ppp::SessionFacts facts = up.facts;
    facts.established_unix_ms = established_unix_ms;
    facts.rate = gateway->bandwidth.of(facts.user, up.rate.rate());
    facts.proxied = sides_of(up.proxied, *gateway, reasons);
    if (!gateway->resume_scripts) {
        for (const std::string& reason : up.done_by_scripts) {
            add_reason(reasons, reason + " (resume_scripts would do it again)");
        }
    }
    VPNHA_TRY(auto session, (*protocol)->on_session_up({plugin, *gateway, up.ids, facts}));
    add_reason(reasons, session.not_resumable);
    session.not_resumable = std::move(reasons);
    return session;
}

}  // namespace vpnha::runtime
