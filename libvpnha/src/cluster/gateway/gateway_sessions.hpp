// SPDX-License-Identifier: GPL-2.0-or-later
// What an administrator or a RADIUS server orders of the gateway's sessions. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/session_identity.hpp"
#include "cluster/gateway/gateway_views.hpp"

namespace vpnha::node {

class GatewaySessions {
  public:
    // The parts of the gateway that this is about. They outlive it.
    struct Parts {
        const GatewaySettings& settings;
        const replica::Replica& replica;
        const GatewayView& view;
        KeeperList& keepers;
    };
    explicit GatewaySessions(const Parts& parts) : parts_(parts) {}

    // Those that a RADIUS server may mean, two at most. Error: this node cannot know, and where, or
    // when, to ask.
    [[nodiscard]] Result<std::vector<wire::RecordKey>> named(const SessionIdentity& identity) const;
    // Ends that session, and notifies its client; at the promoted node only.
    [[nodiscard]] Result<void> end(const wire::RecordKey& session, TimePoint now, Effects& effects);
    // The same for its terms, which are returned as they are then.
    [[nodiscard]] Result<ppp::Terms> change(const wire::RecordKey& session,
                                            const ppp::TermsChange& change, TimePoint now,
                                            Effects& effects);
    // The promoted node accepts no new clients from that time on; nullopt: it accepts them again.
    [[nodiscard]] Result<void> drain(std::optional<std::uint64_t> since_unix_ms, TimePoint now,
                                     Effects& effects);

  private:
    // The error names the node that is.
    [[nodiscard]] Result<void> check_promoted() const;
    // Its lease holds as well.
    [[nodiscard]] Result<void> check_received() const;

    Parts parts_;
};

}  // namespace vpnha::node
