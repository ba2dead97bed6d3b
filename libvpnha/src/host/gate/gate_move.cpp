// SPDX-License-Identifier: GPL-2.0-or-later
// BpfGate's planned moves. The counters of the gate's moves show forwarded and held packets; the
// deadlines end each move by themselves.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "host/addresses/packet.hpp"
#include "host/gate/gate.hpp"
#include "host/gate/gate_abi.h"
#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

namespace {

// For a VLAN within a VLAN.
constexpr int kDevicesBelowMax = 3;
// Of no protocol (IEEE 802, for local experiments).
constexpr std::uint16_t kNoProtocol = 0x88b5;
constexpr std::size_t kFrameMin = 60;

std::uint64_t nanoseconds(TimePoint at) {
    return static_cast<std::uint64_t>(std::max(Duration::zero(), at.time_since_epoch()).count());
}

template <std::size_t Octets>
void put_mac(const MacAddress& mac, __u8 (&to)[Octets]) {
    static_assert(Octets == std::tuple_size_v<MacAddress>);
    std::copy(mac.begin(), mac.end(), std::begin(to));
}

// A frame to the device itself: a switch learns the port, and forwards it nowhere.
void show_to_switches(const Link& link) {
    auto socket = PacketSocket::open(link.name);
    if (!socket || !socket->has_neighbours()) {
        return;
    }
    ByteWriter frame;
    frame.bytes(socket->mac()).bytes(socket->mac()).u16(kNoProtocol);
    Bytes octets = std::move(frame).take();
    octets.resize(kFrameMin);
    // At worst the switch floods all ports.
    static_cast<void>(socket->send_frame(octets, "show this node to switches"));
}

}  // namespace

void BpfGate::prepare_holding(GatewayId gateway) {
    auto pair = HoldPair::create(gateway, hook_, program_);
    if (!pair) {
        cannot_hold_.insert_or_assign(gateway, pair.error());
        return;
    }
    holding_.insert_or_assign(gateway,
                              Holding{.pair = std::make_unique<HoldPair>(std::move(*pair))});
}

Result<void> BpfGate::can_hold(GatewayId gateway) const {
    const auto found = cannot_hold_.find(gateway);
    return found == cannot_hold_.end() ? Result<void>{} : tl::unexpected(found->second);
}

SideMacs BpfGate::macs(GatewayId gateway) const {
    SideMacs macs;
    const config::Gateway* const found = config_->find(gateway);
    auto route = RouteNetlink::open();
    if (found == nullptr || !route || !holding_.contains(gateway)) {
        return macs;
    }
    const auto outside = route->find_device(found->outside.interface);
    const auto inside = route->find_device(found->inside.interface);
    if (outside && *outside && inside && *inside) {
        macs = {(*outside)->mac, (*inside)->mac};
    }
    return macs.are_known() ? macs : SideMacs{};
}

Result<void> BpfGate::set_stations(
    const config::Gateway& gateway,
    const std::function<void(LinkSide, const Link&, vpnha_gate_station&)>& change) const {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    for (const LinkSide side : kLinkSides) {
        VPNHA_TRY(std::optional<Link> link, route.find_device(gateway.side(side).interface));
        // A VLAN's packets pass the gate of the device below it first.
        for (int below = 0; link && below < kDevicesBelowMax; ++below) {
            VPNHA_TRY(vpnha_gate_station station,
                      program_.maps().station(gateway.id, link->state.index));
            put_mac(link->mac, station.from);
            change(side, *link, station);
            VPNHA_CHECK(program_.maps().set_station(gateway.id, link->state.index, station));
            if (link->kind != "vlan" || link->lower == 0) {
                break;
            }
            VPNHA_TRY(link, route.find_device(link->lower));
        }
    }
    return {};
}

Result<void> BpfGate::leave(GatewayId gateway, const ports::GateLeave& leave) {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr || !attached_.contains(gateway)) {
        return fail(Errc::not_found,
                    fmt::format("the gate of gateway {} is not attached", gateway.value));
    }
    VPNHA_CHECK(set_stations(*found, [&leave](LinkSide side, const Link&, auto& station) {
        put_mac(leave.to.of(side), station.to);
    }));
    const GateMaps maps = program_.maps();
    vpnha_gate_move move{};
    // The values that the program compares with are set before it reads them.
    move.onward_beyond = nanoseconds(leave.beyond);
    VPNHA_CHECK(maps.set_move(gateway, move));
    move.onward_until = nanoseconds(leave.until);
    VPNHA_CHECK(maps.set_move(gateway, move));
    VPNHA_TRY(const std::uint64_t before, maps.deadline(gateway));
    return maps.set_deadline(gateway, std::min(before, nanoseconds(leave.shut_at)));
}

Result<void> BpfGate::hold(GatewayId gateway, const ports::GateHold& hold) {
    const config::Gateway* const found = config_->find(gateway);
    const auto holding = holding_.find(gateway);
    if (found == nullptr || holding == holding_.end()) {
        return fail(Errc::unsupported,
                    fmt::format("gateway {}: this node cannot hold packets", gateway.value));
    }
    Holding& it = holding->second;
    VPNHA_CHECK(it.waits ? it.pair->discard() : it.pair->close());
    it.waits = true;
    it.is_open = false;
    it.until = hold.until;
    VPNHA_CHECK(set_stations(*found, [&hold](LinkSide side, const Link& link, auto& station) {
        put_mac({}, station.to);
        put_mac(hold.before.of(side), station.before);
        show_to_switches(link);
    }));
    vpnha_gate_move move{};
    move.hold_device = static_cast<std::uint32_t>(it.pair->near());
    move.hold_until = nanoseconds(hold.until);
    return program_.maps().set_move(gateway, move);
}

Result<void> BpfGate::release(GatewayId gateway, ports::HoldQueue queue) {
    const auto holding = holding_.find(gateway);
    if (holding == holding_.end() || !holding->second.waits) {
        return {};
    }
    Holding& it = holding->second;
    if (queue == ports::HoldQueue::sent_on) {
        if (boot_time() >= it.until) {
            return discard(gateway);  // Too late: peers have given these up.
        }
        it.is_open = true;
    } else if (!it.is_open) {
        return {};  // Of another claim.
    } else {
        it.waits = false;
    }
    return it.pair->release(queue);
}

Result<void> BpfGate::discard(GatewayId gateway) {
    const auto holding = holding_.find(gateway);
    if (holding == holding_.end() || !holding->second.waits) {
        return {};
    }
    holding->second.waits = false;
    VPNHA_CHECK(program_.maps().set_move(gateway, {}));
    return holding->second.pair->discard();
}

}  // namespace vpnha::adapters
