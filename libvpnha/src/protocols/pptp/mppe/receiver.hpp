// SPDX-License-Identifier: GPL-2.0-or-later
// Decrypts what the peer sends. A packet holds 12 bits of its index. The rest follows from the
// number that the layer below gave it: each packet of MPPE takes one such number, and packets
// without MPPE take one, too. So the index is one of those with these bits that the numbers allow;
// the lowest that opens the packet is the right one.
//
//   a packet …                     | is
//   -------------------------------+--------------------------------------------------------------
//   ahead                          | opened; the keys between are kept for those that are late
//   of the last 64, not seen       | opened with its kept key
//   any other                      | dropped
//   more than 131 072 numbers      | dropped: nobody makes so many keys for a packet that may be
//   ahead                          | forged
//   the first after numbers from   | looked for 61 440 further ahead: the last of these numbers may
//   elsewhere                      | have been no packet of MPPE
//
// A key costs 1 us. So a packet that needs more than 64 takes them from a bucket: 131 072 at once,
// 16 384 a second. Where they do not suffice it is dropped, and a packet that is near is not.
// What is opened is an IP packet, or the key was not the right one: then nothing has changed. A
// packet without a checksum (inner_packet.hpp) counts where nothing is searched: its number and its
// index are near the last ones, and the kept keys open what a forged one would skip.
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
    std::uint64_t keys = 0;      // Made for packets, those in vain included.
};

class Receiver {
  public:
    static constexpr std::size_t kKept = 64;
    // Keys of one packet that are free, the most of the bucket, and what comes into it a second.
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
    // Makes at most so many of the keys below index(); true: there are no more. Or open() does.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // The IP packet of a frame that begins at the coherency count, in `out`, which has as much room
    // as the frame, and is not the frame. `number`: of the layer below, modulo 2^32. `now` never
    // goes back. Makes at most kLateKeysMax + kFreeKeys + kKeysMax keys.
    [[nodiscard]] std::optional<ByteView> open(ByteView frame, std::uint32_t number, TimePoint now,
                                               std::uint8_t* out);
    // The number that index() follows.
    [[nodiscard]] std::uint32_t last() const { return last_; }
    // That number is not one of a packet of MPPE. Of those that follow last() it is kept in mind.
    void pass(std::uint32_t number) { last_ = number == last_ + 1 ? number : last_; }
    // Whether a packet with that number may be the next one, or one of those behind it.
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
    std::uint32_t last_ = 0;  // Of the packet before index_, or of one without MPPE behind it.
    // By index modulo kKept. Bit n of unseen_: the key of index_ - 1 - n is kept, and its packet
    // has not come.
    std::array<Key, kKept> keys_;
    std::array<Key, kKept> tried_;  // The same of a packet that has not been opened yet.
    std::uint64_t unseen_ = 0;
    bool is_first_ = false;  // None was opened since skip_to().
    Burst budget_{kKeysMax, Duration(std::chrono::seconds(1)) / kKeysPerSecond};
};

}  // namespace vpnha::mppe
