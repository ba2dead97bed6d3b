// SPDX-License-Identifier: GPL-2.0-or-later
// Requests that visit every session. 100 000 of them take a second, and the lease of a gateway is
// shorter. So they are read in slices of limits::kLoopSlice, with pauses as long, in which the loop
// handles everything else. Root's requests come first, then those in order of arrival. A request
// whose client has gone ends. A change between two slices is shown as of its own slice.
#pragma once

#include <functional>
#include <list>
#include <optional>

#include "cluster/node/node.hpp"

namespace vpnha::runtime {

struct SessionWalk {
    bool is_roots = false;
    std::optional<GatewayId> only;    // None: all gateways.
    std::function<bool()> is_wanted;  // Called before each slice; false: no callback comes.
    // False: it has seen enough.
    std::function<bool(const node::GatewayNode&, const keepers::SessionView&)> on_session;
    std::function<void()> on_end;
};

class SessionWalks {
  public:
    struct Loop {
        std::function<TimePoint()> now;
        // Replaces the last callback that was to run later.
        std::function<void(TimePoint, std::function<void()>)> run_at;
    };
    // All must outlive it.
    SessionWalks(const node::Node& node, Loop loop) : node_(node), loop_(std::move(loop)) {}

    // If no other waits it begins at once, and may end within the call.
    void add(SessionWalk walk);

  private:
    struct Walk {
        SessionWalk wanted;
        std::optional<GatewayId> through{};  // Gateways up to this one are done.
        wire::RecordKey after{};             // Of the next one, sessions up to this one.
    };
    using Walks = std::list<Walk>;

    void run_slice();
    [[nodiscard]] Walks::iterator next();
    // Some of its sessions. False: it is done.
    [[nodiscard]] bool advance(Walk& walk) const;

    const node::Node& node_;
    Loop loop_;
    Walks walks_;
};

}  // namespace vpnha::runtime
