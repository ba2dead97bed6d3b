// SPDX-License-Identifier: GPL-2.0-or-later
// Decrypts what the peer sends. A packet holds 12 bits of its index. The rest follows from the
// number that the layer below gave it: each packet of MPPE takes one such number, and few packets
// without MPPE take one. So the index is the largest one with these bits that the numbers allow.
//
//   a packet …                     | is
//   -------------------------------+--------------------------------------------------------------
//   ahead                          | opened; the keys between are kept for those that are late
//   of the last 64, not seen       | opened with its kept key
//   any other                      | dropped
//   more than 131 072 numbers      | opened if it is up to 2 047 ahead: nobody makes so many keys
//   ahead                          | for a packet that may be forged
//   the first after numbers from   | looked for 65 536 further ahead: the last of these numbers may
//   elsewhere                      | have been no packet of MPPE
//
// Eight packets far ahead that cannot be opened end that, until one can be: each costs the keys
// between.
// What is opened is an IP packet, or the key was not the right one: then nothing has changed.
#pragma once

#include <array>
#include <optional>

#include "mppe/key_chain.hpp"

namespace vpnha::mppe {

struct ReceiverCounters {
    std::uint64_t malformed = 0;  // No stateless MPPE.
    std::uint64_t undecipherable = 0;
    std::uint64_t late = 0;      // Opened, with a kept key.
    std::uint64_t outdated = 0;  // Seen before, or too old.
};

class Receiver {
  public:
    static constexpr std::size_t kKept = 64;

    // The counters must outlive it.
    Receiver(const KeyChain& chain, ReceiverCounters& counters)
        : chain_(chain), counters_(&counters) {}
    ~Receiver();
    Receiver(const Receiver&) = default;
    Receiver& operator=(const Receiver&) = default;

    // One more than the highest that was opened.
    [[nodiscard]] std::uint64_t index() const { return index_; }
    // The next packet has at least that index, and a number above `last`.
    void skip_to(std::uint64_t index, std::uint32_t last);
    // Makes at most so many of the keys below index(); true: there are no more. Or open() does.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // The IP packet of a frame that begins at the coherency count, in `out`, which has as much room
    // as the frame, and is not the frame. `number`: of the layer below, modulo 2^32.
    [[nodiscard]] std::optional<ByteView> open(ByteView frame, std::uint32_t number,
                                               std::uint8_t* out);

  private:
    // How far the packet is ahead of index(), by its count and its number. nullopt: it is not.
    [[nodiscard]] std::optional<std::uint64_t> ahead_of_index(std::uint64_t count,
                                                              std::uint32_t number) const;
    [[nodiscard]] std::optional<ByteView> open_late(std::uint64_t back, ByteView text,
                                                    std::uint8_t* out);
    [[nodiscard]] std::optional<ByteView> open_ahead(std::uint64_t ahead, std::uint32_t number,
                                                     ByteView text, std::uint8_t* out);

    KeyChain chain_;
    ReceiverCounters* counters_;
    std::uint64_t index_ = 0;
    std::uint32_t last_ = 0;  // The number of the packet before index_.
    // By index modulo kKept. Bit n of unseen_: the key of index_ - 1 - n is kept, and its packet
    // has not come.
    std::array<Key, kKept> keys_{};
    std::uint64_t unseen_ = 0;
    bool is_first_ = false;  // None was opened since skip_to().
    int far_attempts_ = 0;   // Packets far ahead, in vain, since one was opened.
};

}  // namespace vpnha::mppe
