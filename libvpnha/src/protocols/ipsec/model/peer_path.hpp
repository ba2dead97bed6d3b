// SPDX-License-Identifier: GPL-2.0-or-later
// The place of a CHILD SA's peer: its address and, behind a NAT, its port. A peer moves by MOBIKE
// (RFC 4555), or when its NAT changes its port. charon then changes the ESP SAs of its kernel, but
// its ha plugin reports nothing. So the node that serves compares its kernel's SAs with the
// records. It rewrites the records that differ, as charon has changed its own state.
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

// The last listing. Most listings then need no comparison with the records.
class PeerPaths {
  public:
    // The children's inbound SAs that are new, or have another path than at the last call.
    [[nodiscard]] std::vector<PeerPath> news(std::span<const SaCounters> listed, const SaSet& sas);

  private:
    std::set<PeerPath> seen_;
};

// Sets the hosts and NAT conditions in its IKE_UPDATEs to those of the path. False: they are the
// same already, or the path leads to another address of the gateway.
[[nodiscard]] bool redirect(IkeSa& sa, const PeerPath& path);
// Also changes traffic selectors that equal the one address `from`: those of transport mode.
[[nodiscard]] bool redirect(ChildSa& child, const IpAddress& from, const PeerPath& path);

// The part of an IKE SA from which a passive charon makes its children's ESP SAs. Keys are equal if
// the children have the same hosts, ports and encapsulation.
[[nodiscard]] Bytes path_key(const std::vector<Bytes>& updates);

// It negotiated MOBIKE: an exchange may have moved its peer.
[[nodiscard]] bool may_move(const IkeSa& sa);
// Its peer is Windows behind a NAT, which refuses a rekey of a CHILD SA that the gateway begins
// ("invalid situation"; rekey_children() of strongSwan's plugins/ha/ha_cache.c).
[[nodiscard]] bool refuses_rekeys(const IkeSa& sa);

}  // namespace vpnha::ipsec
