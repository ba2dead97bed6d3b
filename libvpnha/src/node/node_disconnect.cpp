// SPDX-License-Identifier: GPL-2.0-or-later
// Disconnect-Requests of RADIUS servers (RFC 5176): which session is meant, and its end.
#include <fmt/format.h>

#include "keepers/accounts/accounts.hpp"
#include "node/node.hpp"

namespace vpnha::node {

Result<std::vector<wire::RecordKey>> GatewayNode::sessions_named(
    const SessionIdentity& identity) const {
    const auto* const accounts = keeper<keepers::Accounts>();
    if (accounts == nullptr || !accounts->may_have(identity)) {
        return {};
    }
    VPNHA_CHECK(check_promoted());
    if (!keepers_.is_heard() || !accounts->is_serving()) {
        return fail(Errc::busy, fmt::format("gateway {} is being taken over, or has no lease at "
                                            "present: ask again",
                                            settings_.name));
    }
    return accounts->find(identity);
}

Result<Effects> Node::disconnect(const SessionIdentity& identity, const std::string& server,
                                 TimePoint now) {
    GatewayNode* gateway = nullptr;
    std::optional<wire::RecordKey> session;
    std::optional<Error> unknown;  // Of a gateway that another node serves, or nobody does.
    for (auto& [id, each] : gateways_) {
        const Result<std::vector<wire::RecordKey>> found = each.sessions_named(identity);
        if (!found) {
            unknown = found.error();
            continue;
        }
        if (found->size() > 1 || (session && !found->empty())) {
            return fail(Errc::invalid_argument, "more than one session fits");
        }
        if (!found->empty()) {
            gateway = &each;
            session = found->front();
        }
    }
    if (!session) {
        return unknown ? tl::unexpected(*unknown) : fail(Errc::not_found, "no session fits");
    }
    Effects effects;
    if (const auto ended = gateway->end_session(*session, now, effects); !ended) {
        return fail(Errc::unsupported, ended.error().detail);
    }
    effects.emplace_back(Log{
        Level::info, fmt::format("a RADIUS server ends session {} event=disconnect gateway={} "
                                 "client={}",
                                 keepers::session_id(*session), gateway->settings().name, server)});
    settle(now, effects);
    return effects;
}

}  // namespace vpnha::node
