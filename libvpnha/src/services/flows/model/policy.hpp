// SPDX-License-Identifier: GPL-2.0-or-later
// The flows that are worth a record. Default: those of the gateway's nets that have proved to be
// more than one request and its answer.
//
//   TCP              assured: the handshake is complete
//   UDP, UDP-Lite    assured: packets both ways for two seconds. DNS and its like never are
//   GRE              assured: packets both ways
//   ICMP, ICMPv6     never: the next echo finds or makes its entry anew
//   SCTP, DCCP       never: without their state the entry drops its packets
//   others (ESP …)   a reply was seen: nothing assures them
//
// With `unassured` all but SCTP and DCCP are worth it from their first packet on.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "services/flows/model/flow.hpp"

namespace vpnha::conntrack {

struct Policy {
    // An end of either direction lies in one of them. Empty: any.
    std::vector<IpPrefix> nets;
    std::vector<std::uint16_t> zones;  // Empty: any.
    // The bits of the mask are those of `mark`.
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;
    bool unassured = false;
    // The ruleset gives labels: a flow is looked up once, because events seldom have them.
    bool labels = false;
    // A flow is published so long after it became worth it. 0: at once.
    Duration delay{};
};

enum class Worth : std::uint8_t {
    none,  // Not this flow, or not yet.
    live,
    ending,  // A TCP connection of which one side has finished.
    over,    // A TCP connection that both sides have finished; the kernel keeps it for a while.
};

// Whether it belongs to this gateway.
[[nodiscard]] bool concerns(const Policy& policy, const Flow& flow);
// For a flow that does.
[[nodiscard]] Worth worth(const Policy& policy, const Flow& flow);

}  // namespace vpnha::conntrack
