// SPDX-License-Identifier: GPL-2.0-or-later
// Holds packets of one gateway, in their order: a pair of veth devices with two queues of sch_plug
// on the near end. One queue has packets that the old node has forwarded, the other one packets
// straight from their senders, which are younger. The gate's program sends them into the near end.
// The program of the far end returns them to their own device, where they pass the gate once more.
// Either end drops all other packets. A full queue drops the newest packets.
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
    // Replaces an earlier one of that gateway. Holds from the start. Error unsupported: this kernel
    // does not have what it needs.
    [[nodiscard]] static Result<HoldPair> create(GatewayId gateway, GateHook hook,
                                                 const GateProgram& gate);
    // Removes the devices.
    ~HoldPair();
    HoldPair(HoldPair&& other) noexcept;
    HoldPair& operator=(HoldPair&&) = delete;

    [[nodiscard]] LinkIndex near() const { return near_; }
    // Holds packets from now on.
    Result<void> close();
    // Returns the held packets of the queue, and all later ones.
    Result<void> release(ports::HoldQueue queue);
    // Drops the held packets; holds later ones.
    Result<void> discard();

  private:
    HoldPair(RouteNetlink route, LinkIndex near) : route_(std::move(route)), near_(near) {}

    RouteNetlink route_;
    LinkIndex near_;  // 0: moved from.
};

// Whether this kernel has what a pair needs: makes one in a temporary network namespace.
[[nodiscard]] Result<void> probe_hold();

}  // namespace vpnha::adapters
