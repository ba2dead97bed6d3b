// SPDX-License-Identifier: GPL-2.0-or-later
// A responder without sockets and secrets, for the simulator: clients open sessions, up to three of
// a gateway, and whoever has the machine's numbers uses them. Pure.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "echo/work.hpp"

namespace vpnha::echo {

class FakeResponder {
  public:
    struct Ports {
        // Calls deliver() once, a moment later, if vpnhad lives until then.
        std::function<void()> wake;
        std::function<void(GatewayId, const Event&)> notify;
        // The numbers that each session uses next.
        std::function<Numbers(GatewayId)> read;
        std::function<void(GatewayId, SessionId, std::uint64_t next)> set;
        std::function<void(GatewayId, SessionId)> drop;
    };
    // `first`: of the ids that it gives, which no other responder may give.
    FakeResponder(SessionId first, Ports ports) : next_id_(first), ports_(std::move(ports)) {}

    void execute(const GatewayWork& work);
    // Tells what has happened first.
    void deliver();
    // vpnhad has gone, and the responder with it.
    void clear() {
        known_.clear();
        news_.clear();
    }

  private:
    void carry_out(GatewayId gateway, const Install& work);
    void carry_out(GatewayId gateway, const Remove& work);
    void carry_out(GatewayId gateway, const Serve& work);
    void carry_out(GatewayId gateway, const SetNumbers& work);
    void carry_out(GatewayId gateway, const ReadNumbers& work);
    void notify_later(GatewayId gateway, Event event);

    SessionId next_id_;
    Ports ports_;
    std::map<GatewayId, std::set<SessionId>> known_;
    std::deque<std::pair<GatewayId, Event>> news_;
};

}  // namespace vpnha::echo
