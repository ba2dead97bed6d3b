// SPDX-License-Identifier: GPL-2.0-or-later
// The rate of a session's device on this node. The core needs no result.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/ids.hpp"
#include "base/rate.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::bandwidth {

// That device has the rate from now on. An earlier device of the session has none any more.
struct SetRate {
    GatewayId gateway;
    wire::RecordKey session;
    Rate rate;  // Limited in one direction at least.
    std::uint16_t mtu = 1500;
    std::uint32_t device = 0;  // Its number in this kernel.
    std::string interface;     // Its name. Neither is set: the protocol's backend knows it.
    friend bool operator==(const SetRate&, const SetRate&) = default;
};
// The session is over, or has no limit any more. Its device may be gone, or another session's.
struct RemoveRate {
    GatewayId gateway;
    wire::RecordKey session;
    friend bool operator==(const RemoveRate&, const RemoveRate&) = default;
};

using BandwidthWork = std::variant<SetRate, RemoveRate>;
template <effects::OneOf<BandwidthWork> What>
BandwidthWork work_of(const What&);

}  // namespace vpnha::bandwidth
