// SPDX-License-Identifier: GPL-2.0-or-later
// Decrypts what the peer sends. A packet says 12 bits of its index; the rest follows from what was
// received before.
//
//   a packet …                     | is
//   -------------------------------+--------------------------------------------------------------
//   expected, or up to 2 047 ahead | opened; the keys between are kept for those that are late
//   of the last 64, not seen       | opened with its kept key
//   any other                      | dropped
//   the first after numbers that   | looked for 65 536 ahead: the peer may have sent so much that
//   may be old                     | nobody here has heard of
//
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
    // The next packet has at least that index; the peer may be far ahead of it.
    void skip_to(std::uint64_t index);
    // The numbers are final: the next packet is not far ahead.
    void settle() { searches_ = 0; }
    // Makes at most so many of the keys below index(); true: there are no more. Or open() does.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // The IP packet of a frame that begins at the coherency count, in `out`, which has as much room
    // as the frame, and is not the frame.
    [[nodiscard]] std::optional<ByteView> open(ByteView frame, std::uint8_t* out);

  private:
    [[nodiscard]] std::optional<ByteView> open_late(std::uint64_t back, ByteView text,
                                                    std::uint8_t* out);
    [[nodiscard]] std::optional<ByteView> open_ahead(std::uint64_t ahead, ByteView text,
                                                     std::uint8_t* out);

    KeyChain chain_;
    ReceiverCounters* counters_;
    std::uint64_t index_ = 0;
    // By index modulo kKept. Bit n of unseen_: the key of index_ - 1 - n is kept, and its packet
    // has not come.
    std::array<Key, kKept> keys_{};
    std::uint64_t unseen_ = 0;
    // How often a first packet may still be looked for. A flood of forged ones ends it.
    int searches_ = 0;
};

}  // namespace vpnha::mppe
