// SPDX-License-Identifier: GPL-2.0-or-later
// Several clients of L2TP/IPsec may have one address, that of their NAT, and one port, L2TP's. What
// tells them apart is the SA, and with charon's `mark_in = %unique` and `set_mark_in = %same` a
// mark that what it decrypts has. Within the gateway each of them is known by a private port
// instead: so xl2tpd, the kernel's tunnels and the records have a peer each, and what goes out
// finds its SA.
//
// The port stands in the CHILD SA's record, and stays through rekeys and takeovers. The mark is
// this node's own.
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
    std::uint16_t port = 0;       // By which it is known here.
    std::uint16_t peer_port = 0;  // Its own.
    std::uint32_t mark = 0;       // Of what its SA decrypts.
    bool answers = false;         // What goes to it takes this one of its SAs: the latest.
    friend auto operator<=>(const PortMapping&, const PortMapping&) = default;
};

// In order. Of SAs without such a mark there is nothing to map.
[[nodiscard]] std::vector<PortMapping> map_ports(std::span<const SaCounters> listed,
                                                 const SaSet& sas);
// Whether SAs are missing in the kernel that may have something to map.
[[nodiscard]] bool lacks_ports(std::span<const SaCounters> listed, const SaSet& sas);

}  // namespace vpnha::ipsec
