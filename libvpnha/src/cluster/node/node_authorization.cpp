// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of RADIUS servers about sessions (RFC 5176): the session meant, its end, its terms.
#include <fmt/format.h>

#include "cluster/node/node.hpp"
#include "services/accounting/keeper/accounts.hpp"

namespace vpnha::node {

Result<std::vector<wire::RecordKey>> GatewaySessions::named(const SessionIdentity& identity) const {
    const auto* const accounts = parts_.keepers.find<keepers::Accounts>();
    if (accounts == nullptr || !accounts->may_have(identity)) {
        return {};
    }
    VPNHA_CHECK(check_promoted());
    if (!parts_.keepers.is_received() || !accounts->is_serving()) {
        return fail(Errc::busy, fmt::format("gateway {} is being taken over, or has no lease at "
                                            "present: ask again",
                                            parts_.settings.name));
    }
    return accounts->find(identity);
}

Result<Node::NamedSession> Node::session_named(const SessionIdentity& identity) {
    std::optional<NamedSession> session;
    std::optional<Error> unknown;  // Of a gateway that another node serves, or none.
    for (auto& [id, each] : gateways_) {
        const Result<std::vector<wire::RecordKey>> found = each.session_orders().named(identity);
        if (!found) {
            unknown = found.error();
            continue;
        }
        if (found->size() > 1 || (session && !found->empty())) {
            return fail(Errc::invalid_argument, "more than one session fits");
        }
        if (!found->empty()) {
            session = NamedSession{&each, found->front()};
        }
    }
    if (!session) {
        return unknown ? tl::unexpected(*unknown) : fail(Errc::not_found, "no session fits");
    }
    return *session;
}

Result<Effects> Node::disconnect(const SessionIdentity& identity, const std::string& server,
                                 TimePoint now) {
    VPNHA_TRY(const NamedSession session, session_named(identity));
    Effects effects;
    if (const auto ended = session.gateway->session_orders().end(session.key, now, effects);
        !ended) {
        return fail(Errc::unsupported, ended.error().detail);
    }
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("a RADIUS server ends session {} event=disconnect gateway={} client={}",
                        keepers::session_id(session.key), session.gateway->cores().settings.name,
                        server)});
    settle(now, effects);
    return effects;
}

Result<Effects> Node::change_session(const SessionIdentity& identity,
                                     const ppp::TermsChange& change, const std::string& server,
                                     TimePoint now) {
    VPNHA_TRY(const NamedSession session, session_named(identity));
    Effects effects;
    const Result<ppp::Terms> changed =
        session.gateway->session_orders().change(session.key, change, now, effects);
    if (!changed) {
        return fail(Errc::unsupported, changed.error().detail);
    }
    effects.emplace_back(
        Log{LogLevel::info,
            fmt::format("a RADIUS server changes session {} event=session-changed gateway={} "
                        "client={} session_timeout={} idle_timeout={} bandwidth={}",
                        keepers::session_id(session.key), session.gateway->cores().settings.name,
                        server, changed->timeouts.session_s, changed->timeouts.idle_s,
                        to_string(changed->rate))});
    settle(now, effects);
    return effects;
}

}  // namespace vpnha::node
