// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that wait to be installed, in the order of their arrival, each once. A snapshot of
// thousands must delay neither the group's messages nor a promotion, so they are handled in slices.
// A session that is requested again while it waits is installed in its newest form, at its old
// place. Sessions of a gateway on hold wait for its release: its stock daemons may have them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "cluster/effects/effects.hpp"
#include "protocols/l2tp/work.hpp"

namespace vpnha::runtime {

class InstallQueue {
  public:
    void add(node::InstallSession wanted);
    void drop(GatewayId gateway, const l2tp::SessionKey& key);
    void drop(GatewayId gateway);
    void hold(GatewayId gateway) { held_.insert(gateway); }
    void let_go(GatewayId gateway) { held_.erase(gateway); }
    [[nodiscard]] std::optional<node::InstallSession> take();

    // Whether a session can be taken.
    [[nodiscard]] bool is_ready() const { return next() != waiting_.end(); }
    [[nodiscard]] std::size_t size(GatewayId gateway) const;

  private:
    using Waiting = std::map<std::uint64_t, node::InstallSession>;
    using PerGateway = std::map<GatewayId, Waiting>;  // None of them is empty.

    // The gateway whose turn it is.
    [[nodiscard]] PerGateway::const_iterator next() const;

    std::uint64_t next_number_ = 0;
    PerGateway waiting_;
    std::map<std::pair<GatewayId, l2tp::SessionKey>, std::uint64_t> numbers_;
    std::set<GatewayId> held_;
};

}  // namespace vpnha::runtime
