// SPDX-License-Identifier: GPL-2.0-or-later
// Decrypts the peer's packets. A packet holds 12 bits of its index. The rest follows from the
// number of the layer below: each packet of MPPE takes one such number, and so does each packet
// without MPPE. So the index is one of those with these bits that the numbers allow; the lowest
// that opens the packet is the right one.
//
//   a packet …                     | handling
//   -------------------------------+--------------------------------------------------------------
//   ahead                          | opened; the keys between are kept for late packets
//   of the last 64, not seen       | opened with its kept key
//   any other                      | dropped
//   more than 131 072 numbers      | dropped: so many keys are too costly for a packet that may be
//   ahead                          | forged
//   the first after numbers from   | searched for 61 440 further ahead: the last of these numbers
//   elsewhere                      | may have been no packet of MPPE
//
// A key costs 1 us. So a packet that needs more than 64 takes them from a bucket: 131 072 at once,
// 16 384 a second. If they do not suffice it is dropped; a near packet needs none of them. An
// opened packet is an IP packet; otherwise the key was wrong, and nothing has changed. A packet
// without a checksum (inner_packet.hpp) counts only without a search: its number and its index are
// near the last ones, and kept keys open the packets that a forged one would skip.
#pragma once

#include <array>
#include <optional>

#include "base/burst.hpp"
#include "protocols/pptp/mppe/key_chain.hpp"

namespace vpnha::mppe {

struct ReceiverCounters {
    std::uint64_t malformed = 0;  // No stateless MPPE.
    std::uint64_t undecipherable = 0;
    std::uint64_t late = 0;      // Opened, with a kept key.
    std::uint64_t outdated = 0;  // Seen before, too old, or too far ahead.
    std::uint64_t refused = 0;   // There were too few keys left in the bucket.
    std::uint64_t keys = 0;      // Made for packets, including those in vain.
};

class Receiver {
  public:
    static constexpr std::size_t kKept = 64;
    // Keys that are free for one packet, the bucket's size, and its refill per second.
    static constexpr int kFreeKeys = 64;
    static constexpr int kKeysMax = 131'072;
    static constexpr int kKeysPerSecond = 16'384;
    // Keys below index() that one packet may wait for.
    static constexpr std::size_t kLateKeysMax = 2'048;

    // The counters must outlive it. `with_ipv6`: the peer may send packets of IPv6.
    Receiver(const KeyChain& chain, ReceiverCounters& counters, bool with_ipv6)
        : chain_(chain), counters_(&counters), with_ipv6_(with_ipv6) {}

    // One more than the highest that was opened.
    [[nodiscard]] std::uint64_t index() const { return index_; }
    // The next packet has at least that index, and a number above `last`.
    void skip_to(std::uint64_t index, std::uint32_t last);
    // Makes at most so many of the keys below index(); true: all are made. Otherwise open() does.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // Decrypts the IP packet of a frame that begins at the coherency count. `out` has as much room
    // as the frame, and is not the frame. `number`: of the layer below, modulo 2^32. `now` never
    // goes back. Makes at most kLateKeysMax + kFreeKeys + kKeysMax keys.
    [[nodiscard]] std::optional<ByteView> open(ByteView frame, std::uint32_t number, TimePoint now,
                                               std::uint8_t* out);
    // The number that index() follows.
    [[nodiscard]] std::uint32_t last() const { return last_; }
    // That number belongs to no packet of MPPE. It counts if it directly follows last().
    void pass(std::uint32_t number) { last_ = number == last_ + 1 ? number : last_; }
    // Whether a packet with that number may be the next one, or a later one.
    [[nodiscard]] bool is_plausible(std::uint32_t number) const;

  private:
    // How far a packet may be ahead of index(): one of those with its count.
    struct Ahead {
        std::uint64_t nearest;
        std::uint64_t farthest;
    };
    // nullopt: it is not.
    [[nodiscard]] std::optional<Ahead> ahead_of_index(std::uint64_t count,
                                                      std::uint32_t number) const;
    [[nodiscard]] std::optional<ByteView> open_late(std::uint64_t back, ByteView text,
                                                    std::uint8_t* out);
    [[nodiscard]] std::optional<ByteView> open_ahead(const Ahead& ahead, std::uint32_t number,
                                                     ByteView text, TimePoint now,
                                                     std::uint8_t* out);
    // The packet of `index` was opened: `chain` has made its key, and tried_ has the last ones.
    void move_to(std::uint64_t index, const KeyChain& chain);

    KeyChain chain_;
    ReceiverCounters* counters_;
    bool with_ipv6_;
    std::uint64_t index_ = 0;
    std::uint32_t last_ = 0;  // Of the packet before index_, or of one without MPPE after it.
    // By index modulo kKept. Bit n of unseen_: the key of index_ - 1 - n is kept, and its packet
    // has not come.
    std::array<Key, kKept> keys_;
    std::array<Key, kKept> tried_;  // The same of a packet that has not been opened yet.
    std::uint64_t unseen_ = 0;
    bool is_first_ = false;  // None was opened since skip_to().
    Burst budget_{kKeysMax, Duration(std::chrono::seconds(1)) / kKeysPerSecond};
};

}  // namespace vpnha::mppe
