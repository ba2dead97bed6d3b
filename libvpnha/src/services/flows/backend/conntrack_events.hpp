// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's connection tracking tells of this gateway's flows, and of all that its helpers
// expect: the promoted node's source of records.
//
// The kernel names an event only for flows that were made while somebody listened, unless
// net.netfilter.nf_conntrack_events is 1 (Linux 5.19 and later; the default 2 means "when somebody
// listens"). Flows that a standby installs without a listener would never be heard of again after
// its promotion.
#pragma once

#include <functional>

#include "host/netlink/netlink.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::adapters {

class ConntrackEvents {
  public:
    using OnNews = std::function<void(const conntrack::News&)>;
    using OnExpectation = std::function<void(const conntrack::ExpectationNews&)>;

    // In the network namespace of the calling thread. Error unsupported when the kernel has no
    // ctnetlink. `buffer_bytes`: what the kernel may hold for us.
    [[nodiscard]] static Result<ConntrackEvents> open(
        const conntrack::Policy& policy, std::size_t buffer_bytes = limits::kFlowEventBytes);

    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }
    struct Turn {
        // Otherwise some were lost, and the table must be listed; what came is as good as ever.
        bool whole = true;
        // The kernel holds no more.
        bool drained = false;
    };
    // Up to limits::kFlowEventsPerTurnMax events.
    [[nodiscard]] Turn read(const OnNews& on_news, const OnExpectation& on_expectation = nullptr);

  private:
    explicit ConntrackEvents(OwnedNetlink socket) : socket_(std::move(socket)) {}

    OwnedNetlink socket_;
    Bytes buffer_;
};

}  // namespace vpnha::adapters
