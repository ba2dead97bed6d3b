// SPDX-License-Identifier: GPL-2.0-or-later
// pppd's scripts for sessions without a pppd on this node: those that it has resumed. The core
// needs no result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/ppp/model/link_options.hpp"

namespace vpnha::node {

// The facts of a session that pppd passes to its scripts.
struct ScriptFacts {
    std::string user;  // As authenticated; may be empty.
    Ipv4Address our_address;
    Ipv4Address peer_address;
    std::optional<ppp::Ipv6Identifiers> ipv6;  // Where IPv6CP is open.
    TimePoint established{};                   // On this node's CLOCK_BOOTTIME.
    std::uint32_t device = 0;  // Its number in this kernel; 0: the protocol's backend knows it.
    std::string ipparam{};     // Empty: there is none.
    friend bool operator==(const ScriptFacts&, const ScriptFacts&) = default;
};

// The session is resumed here: ip-up, and ipv6-up with IPv6CP.
struct RunUpScripts {
    GatewayId gateway;
    wire::RecordKey session;
    ScriptFacts facts;
};
// This node no longer carries it: ipv6-down and ip-down, with the facts of RunUpScripts.
struct RunDownScripts {
    GatewayId gateway;
    wire::RecordKey session;
};
// The same for a session that this node has negotiated: its pppd is killed, and cannot run them.
struct RunStockDownScripts {
    GatewayId gateway;
    wire::RecordKey session;
    ScriptFacts facts;
    std::string interface;
};

using ScriptWork = std::variant<RunUpScripts, RunDownScripts, RunStockDownScripts>;
template <effects::OneOf<ScriptWork> What>
ScriptWork work_of(const What&);

}  // namespace vpnha::node
