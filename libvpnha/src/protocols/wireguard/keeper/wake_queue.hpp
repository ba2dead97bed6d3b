// SPDX-License-Identifier: GPL-2.0-or-later
// The order and times in which a promoted node shakes hands with peers. At most
// limits::kWireguardHandshakesMax handshakes are open. From 512 waiting answers on the kernel
// requests a cookie of each, and drops those without one (drivers/net/wireguard/receive.c). The
// next peer's turn comes when one has answered, or has not for limits::kWireguardHandshakeWait.
// Each is tried a second time within that time. Pure.
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

    // After those that wait already.
    void add(const Key& key) { waiting_.push_back(key); }
    // The next one, which is open from now on; nullopt: none waits, or too many are open.
    [[nodiscard]] std::optional<Key> take(TimePoint now);
    [[nodiscard]] bool is_open(const Key& key) const { return open_.contains(key); }
    // False: it was not open.
    bool close(const Key& key);
    // The kernel has sent an open one its initiation: it has limits::kWireguardAnswerWait to
    // answer.
    void on_sent(const Key& key);
    // An open one that was sent nothing for limits::kWireguardTryAgain, or has not answered for
    // limits::kWireguardAnswerWait; each only once.
    [[nodiscard]] std::optional<Key> take_again(TimePoint now);
    // One that was open for too long; it is open no more.
    [[nodiscard]] std::optional<Key> take_overdue(TimePoint now);
    void clear();

    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    [[nodiscard]] bool has_open() const { return !open_.empty(); }
    // When the first open one has to be tried again, or is overdue.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Open {
        TimePoint until;
        TimePoint again;
    };
    std::deque<Key> waiting_;
    std::map<Key, Open> open_;
    std::set<std::pair<TimePoint, Key>> until_;
    std::set<std::pair<TimePoint, Key>> again_;  // Those that were tried once.
};

}  // namespace vpnha::keepers
