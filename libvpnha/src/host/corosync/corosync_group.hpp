// SPDX-License-Identifier: GPL-2.0-or-later
// The closed process group of all vpnhads (CPG, agreed order, knet encrypts). One member counts per
// node: a second process of the same node in the group is ignored, and so are its messages.
//
// Whether this side has the quorum is read anew for each change of the members, and reported again
// when it changes by itself. Corosync reports the two separately, in no order.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "host/os/fd_watch.hpp"

namespace vpnha::adapters {

class CorosyncGroup {
  public:
    struct Listener {
        std::function<void(const std::set<NodeId>&, bool quorate)> on_members;
        std::function<void(NodeId, ByteView)> on_message;
        // That member's vpnhad has died, its node lives; the members without it follow. The
        // callback is optional.
        std::function<void(NodeId)> on_process_died;
        // Corosync is gone; the object is useless from now on.
        std::function<void()> on_lost;
    };

    // Connects to the corosync of this node and joins `group`. Unreachable: corosync does not run.
    // Invalid_config: it has no quorum provider.
    static Result<std::unique_ptr<CorosyncGroup>> join(FdWatch& loop, const std::string& group,
                                                       Listener listener);
    ~CorosyncGroup();
    CorosyncGroup(const CorosyncGroup&) = delete;
    CorosyncGroup& operator=(const CorosyncGroup&) = delete;

    [[nodiscard]] NodeId self() const;
    // False: another process of this node joined before this one.
    [[nodiscard]] bool counts() const;
    // False: flow control, try again later; nothing was sent.
    [[nodiscard]] Result<bool> send(ByteView message);

  private:
    struct State;
    explicit CorosyncGroup(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
