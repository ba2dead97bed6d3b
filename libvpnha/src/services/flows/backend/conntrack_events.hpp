// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's events about this gateway's flows, and about all expectations of its helpers: the
// promoted node's source of records.
//
// The kernel sends events only for flows that were made while a listener existed, unless
// net.netfilter.nf_conntrack_events is 1 (Linux 5.19 and later; the default 2 means "when somebody
// listens"). Flows that a standby installs without a listener would never have an event after its
// promotion.
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
    // ctnetlink. `buffer_bytes`: the size of the kernel's queue of events.
    [[nodiscard]] static Result<ConntrackEvents> open(
        const conntrack::Policy& policy, std::size_t buffer_bytes = limits::kFlowEventBytes);

    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }
    struct Turn {
        // Otherwise some were lost, and the table must be listed; the received ones are valid.
        bool whole = true;
        // The kernel's queue is empty.
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
