// SPDX-License-Identifier: GPL-2.0-or-later
// The session keys of one direction of stateless MPPE (RFC 3078, RFC 3079). Each packet has its own
// key, made from the one before: to skip packets, the keys between have to be made.
//
// Linux and Windows begin with a key that encrypts nothing; packet 0 has the next one.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/secret_octets.hpp"

namespace vpnha::mppe {

// Of the keys, in bits (RFC 3079 3.4).
enum class Strength : std::uint8_t { bits40 = 40, bits56 = 56, bits128 = 128 };

inline constexpr std::size_t kKeyBytes = 16;
using Key = SecretOctets<kKeyBytes>;  // For 40 and 56 bits the first 8 octets count.

// SHA-1 of both, with 40 octets of 0x00 between them and 40 of 0xf2 after them (RFC 3079 3.4). It
// makes start keys from a login, and session keys from earlier ones.
inline constexpr std::size_t kDigestBytes = 20;
[[nodiscard]] SecretOctets<kDigestBytes> padded_digest(ByteView first, ByteView second);

class KeyChain {
  public:
    // The start key as MS-CHAPv2 or RADIUS gave it.
    KeyChain(Strength strength, const Key& start_key);

    // The packet that has the key which step() makes.
    [[nodiscard]] std::uint64_t next() const { return next_; }
    // 1 us: many keys have to be made in slices.
    void step();
    // Of packet next() - 1.
    [[nodiscard]] const Key& key() const { return session_; }
    // RC4 from its start, with a key of such a chain. `out` may be `in`, and has as much room.
    void crypt(const Key& key, ByteView in, std::uint8_t* out) const;

  private:
    void derive(bool first);

    std::size_t size_;  // Of the keys, in octets.
    Strength strength_;
    Key start_;
    Key session_;
    std::uint64_t next_ = 0;
};

}  // namespace vpnha::mppe
