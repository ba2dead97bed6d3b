// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/key_chain.hpp"

// Its plain functions are deprecated in favour of providers.
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/crypto.h>
#include <openssl/rc4.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace vpnha::mppe {

namespace {

constexpr std::size_t kPadBytes = 40;

consteval std::array<std::uint8_t, kPadBytes> pad_of(std::uint8_t value) {
    std::array<std::uint8_t, kPadBytes> pad{};
    pad.fill(value);
    return pad;
}

constexpr auto kPad1 = pad_of(0x00);
constexpr auto kPad2 = pad_of(0xf2);

void apply_rc4(ByteView key, ByteView in, std::uint8_t* out) {
    RC4_KEY state;
    RC4_set_key(&state, static_cast<int>(key.size()), key.data());
    RC4(&state, in.size(), in.data(), out);
    OPENSSL_cleanse(&state, sizeof state);
}

}  // namespace

SecretOctets<kDigestBytes> padded_digest(ByteView first, ByteView second) {
    static_assert(kDigestBytes == SHA_DIGEST_LENGTH);
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Update(&sha, first.data(), first.size());
    SHA1_Update(&sha, kPad1.data(), kPad1.size());
    SHA1_Update(&sha, second.data(), second.size());
    SHA1_Update(&sha, kPad2.data(), kPad2.size());
    SecretOctets<kDigestBytes> digest;
    SHA1_Final(digest.data(), &sha);
    OPENSSL_cleanse(&sha, sizeof sha);
    return digest;
}

KeyChain::KeyChain(Strength strength, const Key& start_key)
    : size_(strength == Strength::bits128 ? kKeyBytes : kKeyBytes / 2),
      strength_(strength),
      start_(start_key),
      session_(start_key) {
    derive(true);
}

void KeyChain::step() {
    derive(false);
    ++next_;
}

void KeyChain::derive(bool first) {
    const auto digest =
        padded_digest(ByteView(start_).first(size_), ByteView(session_).first(size_));
    const ByteView interim = ByteView(digest).first(size_);
    if (first) {
        std::ranges::copy(interim, session_.begin());
    } else {
        apply_rc4(interim, interim, session_.data());
    }
    // RFC 3079 3.4: known octets in front weaken a key of 8 octets.
    if (strength_ != Strength::bits128) {
        session_[0] = 0xd1;
    }
    if (strength_ == Strength::bits40) {
        session_[1] = 0x26;
        session_[2] = 0x9e;
    }
}

void KeyChain::crypt(const Key& key, ByteView in, std::uint8_t* out) const {
    apply_rc4(ByteView(key).first(size_), in, out);
}

}  // namespace vpnha::mppe
