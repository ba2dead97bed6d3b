// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic of each peer of a gateway, on all nodes together. A kernel counts from 0 on when it
// gets a peer, and does not know other kernels' counts. So the total is the last record of the node
// before, plus what this node's kernel has counted since it serves. Handshakes are noted by the
// gateway's clock, which nobody sets. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/accounting.hpp"
#include "base/time.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::keepers {

class PeerLedger {
  public:
    using Key = wireguard::PublicKey;
    using Traffic = wireguard::PeerTraffic;

    // The peer's activity in this node's kernel since the last reading.
    struct News {
        bool sent = false;
        bool received = false;  // An authenticated packet, such as a handshake.
    };

    // The record of another node.
    void follow(const Key& key, const Traffic& total, TimePoint now);
    // A reading of this node's kernel. Where this node serves, the traffic is added to the total.
    // `served_unix_ms`: the gateway's time, if this node serves.
    News read(const Key& key, const Traffic& kernel, std::optional<std::uint64_t> served_unix_ms,
              TimePoint now);
    // The kernel counts the peer from 0 on.
    void restart(const Key& key);
    void forget(const Key& key);

    [[nodiscard]] Traffic total(const Key& key) const;
    // The last reading of this node's kernel had a handshake with the peer.
    [[nodiscard]] bool has_keys(const Key& key) const;
    // The traffic here since the last call.
    [[nodiscard]] vpnha::Traffic take_passed(const Key& key);
    // Peers that have shaken hands since then.
    [[nodiscard]] std::size_t count_since(std::uint64_t unix_ms) const;
    // Totals that have changed here, at most so many; they count as published.
    [[nodiscard]] std::vector<Key> take_changed(std::size_t max);
    [[nodiscard]] bool has_changed() const { return !changed_.empty(); }
    void forget_changes() { changed_.clear(); }

    // Peers with the most recent traffic first, then those that shook hands last.
    void sort(std::vector<Key>& keys) const;

  private:
    struct Account {
        Traffic total;
        Traffic reported;       // Of the total, at take_passed() or by another node.
        Traffic kernel;         // As last read.
        TimePoint active_at{};  // The total changed.
    };
    std::map<Key, Account> accounts_;
    std::set<Key> changed_;
};

}  // namespace vpnha::keepers
