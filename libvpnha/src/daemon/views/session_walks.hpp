// SPDX-License-Identifier: GPL-2.0-or-later
// Requests that look at every session. 100 000 of them take a second, and the lease of a gateway is
// shorter: they are read in slices of limits::kLoopSlice, with pauses as long, in which the loop
// does everything else. Root's requests come first, then the ones that came first. One whose client
// has gone ends. What changes between two slices is shown as it is when its turn comes.
#pragma once

#include <functional>
#include <list>
#include <optional>

#include "cluster/node/node.hpp"

namespace vpnha::runtime {

struct SessionWalk {
    bool is_roots = false;
    std::optional<GatewayId> only;    // None: all gateways.
    std::function<bool()> is_wanted;  // Looked at before each slice; false: no callback comes.
    // False: it has seen enough.
    std::function<bool(const node::GatewayNode&, const keepers::SessionView&)> on_session;
    std::function<void()> on_end;
};

class SessionWalks {
  public:
    struct Loop {
        std::function<TimePoint()> now;
        // In place of what was to run later.
        std::function<void(TimePoint, std::function<void()>)> run_at;
    };
    // All must outlive it.
    SessionWalks(const node::Node& node, Loop loop) : node_(node), loop_(std::move(loop)) {}

    // Where no other waits it begins at once, and may end within the call.
    void add(SessionWalk walk);

  private:
    struct Walk {
        SessionWalk wanted;
        std::optional<GatewayId> through{};  // Gateways up to this one are through.
        wire::RecordKey after{};             // Of the next one, sessions up to this one.
    };
    using Walks = std::list<Walk>;

    void run_slice();
    [[nodiscard]] Walks::iterator next();
    // Some of its sessions. False: it is through.
    [[nodiscard]] bool advance(Walk& walk) const;

    const node::Node& node_;
    Loop loop_;
    Walks walks_;
};

}  // namespace vpnha::runtime
