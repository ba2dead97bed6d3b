// SPDX-License-Identifier: GPL-2.0-or-later
// The facts that another node needs of a PPP session, whatever carries it: the negotiated options,
// and pppd's configuration. Only its terms change between ip-up and ip-down. A record of L2TP or
// PPTP contains them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/rate.hpp"
#include "protocols/ppp/model/link_options.hpp"
#include "protocols/ppp/model/proxied_address.hpp"
#include "protocols/ppp/model/timeouts.hpp"

namespace vpnha::ppp {

struct SessionFacts {
    LinkOptions ours;         // Options of what we receive: pppd's lcp_gotoptions.
    LinkOptions theirs;       // Options of what the peer receives: pppd's lcp_hisoptions.
    Ipv4Address our_address;  // IPCP (RFC 1332).
    Ipv4Address peer_address;
    std::optional<Ipv6Identifiers> ipv6;  // Where IPv6CP is open (RFC 5072).
    std::uint16_t mtu = 1500;             // Of the PPP device.
    std::uint16_t echo_interval_s = 0;    // LCP echo as pppd was configured; 0: never.
    std::uint16_t echo_failures = 0;      // Unanswered echoes that end the session; 0: none do.
    // Any packet of the peer answers them: an echo is sent only after an interval without one.
    bool echo_is_adaptive = false;
    std::uint64_t established_unix_ms = 0;  // By the gateway's clock.
    Timeouts timeouts;
    Rate rate;                     // Of its device, whichever node has it.
    std::vector<IpPrefix> routes;  // Networks behind the peer, at most limits::kSessionRoutesMax.
    std::vector<ProxiedAddress> proxied;  // At most limits::kSessionProxiedMax.
    // Why no other node can resume it: a node that takes over notifies its client of the end.
    // Empty: others can. At most limits::kObstacleBytesMax octets.
    std::string obstacle;
    std::string user;       // As authenticated; may be empty.
    std::string interface;  // Name at the node that negotiated it, for display only.
    friend bool operator==(const SessionFacts&, const SessionFacts&) = default;
};

// Wire format v1, docs/reference/wire-format.md. Unreadable octets fail through `reader`; the
// caller validates the result.
void write_facts(ByteWriter& writer, const SessionFacts& facts);
[[nodiscard]] SessionFacts read_facts(ByteReader& reader);

// Error malformed, unless MRUs lie in 128..16384, the MTU in 68..16384, and addresses are unicast.
// Interface identifiers are two, the rate is sound, routes have a length and no bits after it.
[[nodiscard]] Result<void> validate(const SessionFacts& facts);

}  // namespace vpnha::ppp
