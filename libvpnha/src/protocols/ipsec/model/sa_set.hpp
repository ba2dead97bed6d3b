// SPDX-License-Identifier: GPL-2.0-or-later
// IKE and CHILD SAs with their ties. A family has to be handled as a whole: IKE SAs that replaced
// each other, or that charon considers replaced, and their children.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "protocols/ipsec/model/sa_record.hpp"

namespace vpnha::ipsec {

struct Family {
    std::set<IkeKey> ikes;  // Also those that are no more.
    std::set<std::uint32_t> children;
};

class SaSet {
  public:
    // Replaces the one with the same identity.
    void put(IkeSa sa);
    void put(ChildSa child);
    void erase(const IkeKey& key);
    void erase_child(std::uint32_t spi);

    [[nodiscard]] const std::map<IkeKey, IkeSa>& ikes() const { return ikes_; }
    [[nodiscard]] const std::map<std::uint32_t, ChildSa>& children() const { return children_; }
    [[nodiscard]] const IkeSa* find(const IkeKey& key) const;
    [[nodiscard]] const ChildSa* find_child(std::uint32_t spi) const;

    // The children that it made or owns.
    [[nodiscard]] std::vector<std::uint32_t> children_of(const IkeKey& key) const;
    // Those of which it is the heir, or which it replaces.
    [[nodiscard]] std::vector<IkeKey> elders_of(const IkeKey& key) const;
    // IKEv1: others with the same peer.
    [[nodiscard]] std::vector<IkeKey> same_peer(const IkeKey& key) const;
    // Adds all SAs that are tied to `family`, at any distance.
    void complete(Family& family) const;

  private:
    void tie(const IkeSa& sa);
    void untie(const IkeSa& sa);

    std::map<IkeKey, IkeSa> ikes_;
    std::map<std::uint32_t, ChildSa> children_;
    // From an SA that others refer to, to those others.
    std::set<std::pair<IkeKey, IkeKey>> elders_;
    std::set<std::pair<IkeKey, std::uint32_t>> offspring_;
    std::set<std::pair<Bytes, IkeKey>> peers_;  // By adoption_key().
};

// A child of that IKE SA carries traffic to the gateway's port of L2TP.
[[nodiscard]] bool has_tunnels(const SaSet& sas, const IkeKey& key,
                               std::optional<std::uint16_t> tunnel_port);

}  // namespace vpnha::ipsec
