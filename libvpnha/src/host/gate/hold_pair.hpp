// SPDX-License-Identifier: GPL-2.0-or-later
// Holds packets of one gateway, in their order: a pair of veth devices with two queues of sch_plug
// on the near end. In the one is what the old node has sent on, in the other one what comes
// straight from its sender, and is younger. The gate's program sends them into the near end, and
// the one of the far end gives them back to the device that they came by, where they pass the gate
// once more. Whatever else either end receives is dropped there. Full, it drops what comes last.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "host/gate/gate_chain.hpp"
#include "host/gate/gate_program.hpp"
#include "host/netlink/netlink_route.hpp"

namespace vpnha::adapters {

// Of both ends of all pairs.
inline constexpr std::string_view kHoldDevicePrefix = "vpnh-";

class HoldPair {
  public:
    // In the place of an earlier one of that gateway. Holds from the start. Error unsupported: this
    // kernel has not what it needs.
    [[nodiscard]] static Result<HoldPair> create(GatewayId gateway, GateHook hook,
                                                 const GateProgram& gate);
    // The devices go with it.
    ~HoldPair();
    HoldPair(HoldPair&& other) noexcept;
    HoldPair& operator=(HoldPair&&) = delete;

    [[nodiscard]] LinkIndex near() const { return near_; }
    // Holds what comes from now on.
    Result<void> close();
    // Gives back what the queue has held, and what comes to it from now on.
    Result<void> release(ports::HoldQueue queue);
    // What it holds is dropped; it holds what comes from now on.
    Result<void> discard();

  private:
    HoldPair(RouteNetlink route, LinkIndex near) : route_(std::move(route)), near_(near) {}

    RouteNetlink route_;
    LinkIndex near_;  // 0: moved from.
};

// Whether this kernel has what a pair needs: makes one in a network namespace of its own.
[[nodiscard]] Result<void> probe_hold();

}  // namespace vpnha::adapters
