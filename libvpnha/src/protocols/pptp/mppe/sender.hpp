// SPDX-License-Identifier: GPL-2.0-or-later
// Encrypts the packets of one end of a link. A packet's index only grows: with RC4 a key that
// encrypts two packets reveals both.
//
//   octets  0-1                                    2…
//           bits A=1 B=0 C=0 D=1, coherency count  RC4 of protocol number and packet
//
// The coherency count is the index modulo 4 096. A peer makes all keys up to that of the next
// packet that it receives. Linux takes a jump of more than 2 047 for an old packet.
#pragma once

#include <algorithm>

#include "protocols/pptp/mppe/key_chain.hpp"

namespace vpnha::mppe {

inline constexpr std::size_t kHeaderBytes = 2;
inline constexpr std::uint64_t kCoherencyCounts = 4096;
// The greatest distance ahead of the expected index that a Linux peer accepts.
inline constexpr std::uint64_t kJumpMax = 2047;

class Sender {
  public:
    explicit Sender(const KeyChain& chain) : chain_(chain) {}

    // Of the next packet.
    [[nodiscard]] std::uint64_t index() const { return index_; }
    // The next packet has at least that index.
    void skip_to(std::uint64_t index) { index_ = std::max(index_, index); }
    // Makes at most so many of the keys below index(); true: all are made. Otherwise seal() does.
    [[nodiscard]] bool catch_up(std::size_t keys_max);
    // seal() makes one key.
    [[nodiscard]] bool is_ready() const { return chain_.next() >= index_; }
    // `out` has room for kHeaderBytes more than `plain`, and is not `plain`. Returns its size.
    std::size_t seal(ByteView plain, std::uint8_t* out);

  private:
    KeyChain chain_;
    std::uint64_t index_ = 0;
};

}  // namespace vpnha::mppe
