// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the gate, the BPF program at the edge of a gateway's devices. It drops every packet from or
// to a covered address unless the gateway's absolute deadline is in the future. Local senders get
// no error for dropped packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/mac_address.hpp"
#include "base/time.hpp"

namespace vpnha::ports {

enum class GateDirection : std::uint8_t { in, out };
enum class GateReason : std::uint8_t {
    standby,    // The gateway has no deadline here.
    expired,    // The deadline has passed: the lease was not renewed.
    ending,     // It may send, but this would end a TCP connection that must not end.
    cleartext,  // It may send, but this is L2TP outside of IPsec.
    held,       // It may send, but the sequence numbers of this ESP SA are not set yet.
    drained,    // It serves its present clients, and this would be a new one.
};
enum class GateKind : std::uint8_t { ip, arp, nd };

inline constexpr std::array kGateDirections = {GateDirection::in, GateDirection::out};
inline constexpr std::array kGateReasons = {GateReason::standby, GateReason::expired,
                                            GateReason::ending,  GateReason::cleartext,
                                            GateReason::held,    GateReason::drained};
inline constexpr std::array kGateKinds = {GateKind::ip, GateKind::arp, GateKind::nd};

// What planned moves have done with packets, since the program was loaded.
struct MovedPackets {
    std::uint64_t sent_on = 0;  // To the new node.
    std::uint64_t held = 0;     // Until the gate opens.
    std::uint64_t looped = 0;   // Dropped: another node had forwarded them already.
};

// Packets that were dropped since the program was loaded.
class GateCounters {
  public:
    [[nodiscard]] std::uint64_t& at(GateDirection direction, GateReason reason, GateKind kind) {
        return packets_.at(index(direction, reason, kind));
    }
    [[nodiscard]] std::uint64_t at(GateDirection direction, GateReason reason,
                                   GateKind kind) const {
        return packets_.at(index(direction, reason, kind));
    }
    [[nodiscard]] std::uint64_t dropped(GateDirection direction, GateReason reason) const {
        std::uint64_t sum = 0;
        for (const GateKind kind : kGateKinds) {
            sum += at(direction, reason, kind);
        }
        return sum;
    }
    [[nodiscard]] std::uint64_t dropped(GateDirection direction) const {
        std::uint64_t sum = 0;
        for (const GateReason reason : kGateReasons) {
            sum += dropped(direction, reason);
        }
        return sum;
    }

    MovedPackets moved;

  private:
    static std::size_t index(GateDirection direction, GateReason reason, GateKind kind) {
        return (static_cast<std::size_t>(direction) * kGateReasons.size() +
                static_cast<std::size_t>(reason)) *
                   kGateKinds.size() +
               static_cast<std::size_t>(kind);
    }
    std::array<std::uint64_t, kGateDirections.size() * kGateReasons.size() * kGateKinds.size()>
        packets_{};
};

// This node gives a gateway up to another one, and forwards packets that still arrive for it.
struct GateLeave {
    TimePoint until{};    // It forwards, unless there is a newer lease.
    TimePoint beyond{};   // The deadline of the lease that is given up.
    TimePoint shut_at{};  // Until then packets within this node may leave it; none enters it.
    SideMacs to;          // The other node's devices.
};
enum class HoldQueue : std::uint8_t { sent_on, direct };
// This node claims a gateway.
struct GateHold {
    TimePoint until{};
    SideMacs before;  // Of the node that serves until now; unknown: it forwards nothing.
};

class Gate {
  public:
    virtual ~Gate() = default;

    // Attaches to the gateway's devices, shut, covering its VIPs, PPP local address and pools.
    // Repeating it re-attaches to devices that were created anew and keeps the deadline. Error
    // not_found: a device is missing; the others have the gate.
    virtual Result<void> attach(GatewayId gateway) = 0;
    // One map update; `deadline` is CLOCK_BOOTTIME.
    virtual Result<void> open_until(GatewayId gateway, TimePoint deadline) = 0;
    virtual Result<void> shut(GatewayId gateway) = 0;
    // A planned move, in which no packet is lost. The old node forwards IP packets that arrive for
    // the gateway, and the gate shuts at `shut_at`, or at its deadline if that is earlier.
    virtual Result<void> leave(GatewayId gateway, const GateLeave& leave) = 0;
    // The new node holds packets until release(), which follows open_until(). Forwarded ones are
    // released first, then those that came directly from their senders. shut() drops them.
    virtual Result<void> hold(GatewayId gateway, const GateHold& hold) = 0;
    virtual Result<void> release(GatewayId gateway, HoldQueue queue) = 0;
    // ESP with these SPIs (host order) that leaves a VIP is dropped, open or not; or passes again.
    virtual Result<void> hold_esp(GatewayId gateway, const std::vector<std::uint32_t>& spis,
                                  bool held) = 0;
    // Incoming packets that begin a session are dropped, or pass again: the first packet of IKE
    // exchanges without an IKE SA, of L2TP tunnels, of PPTP connections.
    virtual Result<void> drain(GatewayId gateway, bool drained) = 0;
    // nullopt: shut, or not attached.
    [[nodiscard]] virtual Result<std::optional<TimePoint>> deadline(GatewayId gateway) const = 0;
    [[nodiscard]] virtual Result<GateCounters> counters(GatewayId gateway) const = 0;
};

}  // namespace vpnha::ports
