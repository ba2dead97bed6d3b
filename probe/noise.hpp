// SPDX-License-Identifier: GPL-2.0-or-later
// The initiator's half of WireGuard's handshake, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s: one
// handshake, which a valid response completes. Pure: it calls libcrypto and libsodium, and does no
// I/O. WireGuard's white paper, section 5.4, has the names of the steps.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/secret_octets.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe::noise {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kTimestampBytes = 12;
inline constexpr std::size_t kInitiationBytes = 148;
inline constexpr std::size_t kResponseBytes = 92;
inline constexpr std::uint8_t kCookieReply = 3;

using Octets = std::array<std::uint8_t, kKeyBytes>;
using Secret = SecretOctets<kKeyBytes>;
using Timestamp = std::array<std::uint8_t, kTimestampBytes>;

// The keys of a client, and of its server.
struct Account {
    Secret private_key;
    Octets server{};   // Its public key.
    Secret preshared;  // Zeros: there is none.
};

// TAI64N of that time.
[[nodiscard]] Timestamp timestamp_of(std::uint64_t unix_s, std::uint32_t nanoseconds);
// Error unsupported: the private key gives none.
[[nodiscard]] Result<Octets> public_key_of(const Secret& private_key);

class Handshake {
  public:
    // `ephemeral`: a private key that no other handshake uses. Error unsupported: this machine's
    // libcrypto has no BLAKE2s; malformed: the server's key is invalid.
    [[nodiscard]] static Result<Handshake> begin(const Account& account, std::uint32_t index,
                                                 const Secret& ephemeral,
                                                 const Timestamp& timestamp);

    [[nodiscard]] const Bytes& initiation() const { return initiation_; }
    // Whether the server, with its private key, has made that response.
    [[nodiscard]] bool is_answered_by(ByteView response, const Account& account) const;

  private:
    Handshake() = default;

    std::uint32_t index_ = 0;
    Secret ephemeral_;
    Secret chain_;
    Octets hash_{};
    Bytes initiation_;
};

// For a server in a test: the responder's half.
[[nodiscard]] std::optional<Octets> hash_of(ByteView first, ByteView second = {});
[[nodiscard]] std::optional<Secret> shared_of(const Secret& own, ByteView theirs);
// KDF1, KDF2 and KDF3, by the number of keys.
template <std::size_t Count>
[[nodiscard]] std::optional<std::array<Secret, Count>> derive(const Secret& key, ByteView input);
// With the number 0. `open`: nullopt: another key has sealed it.
[[nodiscard]] Bytes seal(const Secret& key, ByteView plain, const Octets& hash);
[[nodiscard]] std::optional<Bytes> open(const Secret& key, ByteView sealed, const Octets& hash);
// Chain and hash before the first message to that server.
[[nodiscard]] std::optional<std::pair<Secret, Octets>> beginning(const Octets& server);

}  // namespace vpnha::probe::noise
