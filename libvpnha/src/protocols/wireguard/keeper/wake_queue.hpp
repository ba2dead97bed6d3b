// SPDX-License-Identifier: GPL-2.0-or-later
// Whom a promoted node shakes hands with, and when. At most limits::kWireguardHandshakesMax are
// open: from 512 answers that wait in the kernel's queue on it wants a cookie of each, and drops
// those without one (drivers/net/wireguard/receive.c). The others have their turn as soon as one is
// answered, or has not been for limits::kWireguardHandshakeWait. Meanwhile each is tried a second
// time. Pure.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::keepers {

class WakeQueue {
  public:
    using Key = wireguard::PublicKey;

    // Behind those that wait already.
    void add(const Key& key) { waiting_.push_back(key); }
    // The next one, which is open from now on; nullopt: none waits, or too many are open.
    [[nodiscard]] std::optional<Key> take(TimePoint now);
    [[nodiscard]] bool is_open(const Key& key) const { return open_.contains(key); }
    // False: it was not open.
    bool close(const Key& key);
    // One of those that are open, and were not answered for limits::kWireguardTryAgain: once each.
    [[nodiscard]] std::optional<Key> take_again(TimePoint now);
    // One of those that were open for too long; it is open no more.
    [[nodiscard]] std::optional<Key> take_overdue(TimePoint now);
    void clear();

    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    [[nodiscard]] bool has_open() const { return !open_.empty(); }
    // When the first of those that are open is to be tried again, or overdue.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    std::deque<Key> waiting_;
    std::map<Key, TimePoint> open_;  // Until then.
    std::set<std::pair<TimePoint, Key>> until_;
    std::set<std::pair<TimePoint, Key>> again_;  // `until` of those that were tried once.
};

}  // namespace vpnha::keepers
