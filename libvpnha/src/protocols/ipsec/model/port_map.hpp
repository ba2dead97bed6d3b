// SPDX-License-Identifier: GPL-2.0-or-later
// Several clients of L2TP/IPsec may share one address, that of their NAT, and one port, L2TP's.
// Their SAs distinguish them. With charon's `mark_in = %unique` and `set_mark_in = %same`, so does
// a mark on each decrypted packet. Within the gateway each client has a private port instead. So
// xl2tpd, the kernel's tunnels and the records have one peer each, and outgoing packets find their
// SA.
//
// The port is in the CHILD SA's record, and survives rekeys and takeovers. The mark belongs to this
// node alone.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "protocols/ipsec/model/sa_counters.hpp"
#include "protocols/ipsec/model/sa_set.hpp"

namespace vpnha::ipsec {

struct PortMapping {
    IpAddress peer;
    std::uint16_t port = 0;       // The private port in this node.
    std::uint16_t peer_port = 0;  // The client's own port.
    std::uint32_t mark = 0;       // Of the packets that its SA decrypts.
    bool answers = false;         // Replies use this one of its SAs: the latest.
    friend auto operator<=>(const PortMapping&, const PortMapping&) = default;
};

// In order. SAs without such a mark yield no mapping.
[[nodiscard]] std::vector<PortMapping> map_ports(std::span<const SaCounters> listed,
                                                 const SaSet& sas);
// Whether the kernel does not have SAs yet that may need a mapping.
[[nodiscard]] bool misses_ports(std::span<const SaCounters> listed, const SaSet& sas);

}  // namespace vpnha::ipsec
