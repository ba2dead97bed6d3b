// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/gate/hold_pair.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "host/gate/gate_abi.h"

namespace vpnha::adapters {

namespace {

// Of a veth device. Packets that the node's devices have merged are longer, and need no limit.
constexpr std::uint16_t kMtu = 65535;
// 64 ms at 1 Gbit/s. Small packets take 16 times as much memory as they count.
constexpr std::uint32_t kOctetsMax = 8U << 20U;

}  // namespace

Result<HoldPair> HoldPair::create(GatewayId gateway, GateHook hook, const GateProgram& gate) {
    const std::string names[] = {fmt::format("{}{}", kHoldDevicePrefix, gateway.value),
                                 fmt::format("{}{}-far", kHoldDevicePrefix, gateway.value)};
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    VPNHA_CHECK(route.add_pair(names[0], names[1]));
    VPNHA_TRY(const auto near, route.find_link(names[0]));
    HoldPair pair(std::move(route), near.value_or(LinkState{}).index);
    VPNHA_TRY(GateChain chain, GateChain::open(hook));
    VPNHA_CHECK(pair.route_.add_plugs(pair.near_, kOctetsMax));
    for (const std::string& name : names) {
        VPNHA_TRY(const auto found, pair.route_.find_link(name));
        const LinkIndex link = found.value_or(LinkState{}).index;
        VPNHA_CHECK(pair.route_.prepare_link(link, name, kMtu));
        VPNHA_CHECK(chain.put_first(link, name, GateDirection::in, gate.back()));
        VPNHA_CHECK(pair.route_.set_link_up(link));
    }
    return pair;
}

HoldPair::HoldPair(HoldPair&& other) noexcept
    : route_(std::move(other.route_)), near_(std::exchange(other.near_, 0)) {}

HoldPair::~HoldPair() {
    if (near_ != 0) {
        // At worst they stay, shut, until the next vpnhad.
        static_cast<void>(route_.delete_link(near_));
    }
}

Result<void> HoldPair::close() {
    for (std::uint32_t plug = 1; plug <= RouteNetlink::kPlugs; ++plug) {
        VPNHA_CHECK(route_.close_plug(near_, plug));
    }
    return {};
}

Result<void> HoldPair::release(ports::HoldQueue queue) {
    constexpr std::uint32_t kMinor = 0xffffU;
    return route_.release_plug(
        near_,
        (queue == ports::HoldQueue::sent_on ? VPNHA_GATE_HOLD_SENT_ON : VPNHA_GATE_HOLD_DIRECT) &
            kMinor);
}

Result<void> HoldPair::discard() {
    VPNHA_CHECK(route_.delete_plugs(near_));
    return route_.add_plugs(near_, kOctetsMax);
}

Result<void> probe_hold() {
    Result<void> outcome;
    // A namespace is a thread's; this one ends with it.
    std::thread([&outcome] {
        if (unshare(CLONE_NEWNET) != 0) {
            outcome = errno == EPERM
                          ? fail(Errc::permission,
                                 "only root can look whether this kernel has what "
                                 "planned moves need")
                          : tl::unexpected(system_error("make a network namespace", errno));
            return;
        }
        outcome = GateProgram::load().and_then([](const GateProgram& program) -> Result<void> {
            return HoldPair::create(GatewayId{1}, gate_hook_of_kernel(), program)
                .map([](const HoldPair&) {});
        });
    }).join();
    return outcome;
}

}  // namespace vpnha::adapters
