// SPDX-License-Identifier: GPL-2.0-or-later
// Where the peer of a CHILD SA is: its address and, behind a NAT, its port. A peer moves by MOBIKE
// (RFC 4555), or as its NAT gives it another port. charon then changes the ESP SAs of its kernel,
// and its ha plugin says nothing. So the node that serves compares its kernel's SAs with the
// records, and rewrites those that lead elsewhere, as charon has changed what it has.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "protocols/ipsec/model/sa_counters.hpp"
#include "protocols/ipsec/model/sa_set.hpp"

namespace vpnha::ipsec {

struct PeerPath {
    SaId inbound;                // The ESP SA: from the peer to this gateway.
    std::uint16_t nat_port = 0;  // The peer's, of ESP in UDP; 0: ESP without UDP.
    friend auto operator<=>(const PeerPath&, const PeerPath&) = default;
};

// What was listed last. It saves most listings the comparison with the records.
class PeerPaths {
  public:
    // Of the children's inbound SAs those that are new, or lead elsewhere than at the last call.
    [[nodiscard]] std::vector<PeerPath> news(std::span<const SaCounters> listed, const SaSet& sas);

  private:
    std::set<PeerPath> seen_;
};

// The hosts and NAT conditions in its IKE_UPDATEs become those of the path. False: they say the
// same already, or the path leads to another address of the gateway than theirs.
[[nodiscard]] bool redirect(IkeSa& sa, const PeerPath& path);
// So do traffic selectors that are the one address `from`: those of transport mode.
[[nodiscard]] bool redirect(ChildSa& child, const IpAddress& from, const PeerPath& path);

// What a passive charon makes the ESP SAs of an IKE SA's children from: equal for those of which
// the children have the same hosts, ports and encapsulation.
[[nodiscard]] Bytes path_key(const std::vector<Bytes>& updates);

// It negotiated MOBIKE: an exchange may have moved its peer.
[[nodiscard]] bool may_move(const IkeSa& sa);
// Its peer is Windows behind a NAT, which takes no rekey of a CHILD SA that others begin ("invalid
// situation"; rekey_children() of strongSwan's plugins/ha/ha_cache.c).
[[nodiscard]] bool refuses_rekeys(const IkeSa& sa);

}  // namespace vpnha::ipsec
