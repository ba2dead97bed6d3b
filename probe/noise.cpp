// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/noise.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <strings.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

namespace vpnha::probe::noise {

namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::string_view kLabelOfMac = "mac1----";
constexpr std::uint8_t kInitiation = 1;
constexpr std::uint8_t kResponse = 2;
// Of a message: its type, and three zeros.
constexpr std::size_t kTypeBytes = 4;
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kTagBytes = crypto_aead_chacha20poly1305_ietf_ABYTES;
// Of BLAKE2s (RFC 7693 2.1).
constexpr std::size_t kBlockBytes = 64;

struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

ByteView view_of(const Secret& secret) {
    return {secret.data(), Secret::size()};
}

std::optional<Octets> blake2s(std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    Octets digest{};
    bool done =
        context != nullptr && EVP_DigestInit_ex(context.get(), EVP_blake2s256(), nullptr) == 1;
    for (const ByteView part : parts) {
        done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    }
    return done && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1
               ? std::optional(digest)
               : std::nullopt;
}

// RFC 2104. The key is shorter than a block.
std::optional<Secret> hmac(const Secret& key, std::initializer_list<ByteView> parts) {
    SecretOctets<kBlockBytes> inner;
    SecretOctets<kBlockBytes> outer;
    for (std::size_t at = 0; at < kBlockBytes; ++at) {
        const std::uint8_t octet = at < Secret::size() ? key[at] : std::uint8_t{0};
        inner[at] = static_cast<std::uint8_t>(octet ^ 0x36U);
        outer[at] = static_cast<std::uint8_t>(octet ^ 0x5cU);
    }
    Bytes text;
    for (const ByteView part : parts) {
        text.insert(text.end(), part.begin(), part.end());
    }
    const auto within = blake2s({{inner.data(), kBlockBytes}, text});
    ::explicit_bzero(text.data(), text.size());
    const auto whole = within ? blake2s({{outer.data(), kBlockBytes}, *within}) : std::nullopt;
    return whole ? std::optional(Secret(*whole)) : std::nullopt;
}

// Keyed BLAKE2s with 16 octets.
std::optional<std::array<std::uint8_t, kMacBytes>> mac_of(const Octets& key, ByteView message) {
    const std::unique_ptr<EVP_MAC, Free> mac(EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr));
    const std::unique_ptr<EVP_MAC_CTX, Free> context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
    std::size_t size = kMacBytes;
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    std::array<std::uint8_t, kMacBytes> digest{};
    const bool done = context != nullptr &&
                      EVP_MAC_init(context.get(), key.data(), key.size(), parameters.data()) == 1 &&
                      EVP_MAC_update(context.get(), message.data(), message.size()) == 1 &&
                      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1;
    return done ? std::optional(digest) : std::nullopt;
}

// In all other protocols numbers are big-endian.
void write_index(ByteWriter& writer, std::uint32_t index) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        writer.u8(static_cast<std::uint8_t>(index >> shift));
    }
}

std::uint32_t read_index(ByteReader& reader) {
    std::uint32_t index = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        index |= static_cast<std::uint32_t>(reader.u8()) << shift;
    }
    return index;
}

Error no_blake2s() {
    return {Errc::unsupported, "this machine's libcrypto has no BLAKE2s, which WireGuard needs"};
}

}  // namespace

Timestamp timestamp_of(std::uint64_t unix_s, std::uint32_t nanoseconds) {
    // The time 1970 in D. J. Bernstein's TAI64.
    constexpr std::uint64_t kUnixEpoch = 0x400000000000000aU;
    ByteWriter writer;
    writer.u64(kUnixEpoch + unix_s).u32(nanoseconds);
    Timestamp timestamp{};
    std::ranges::copy(writer.view(), timestamp.begin());
    return timestamp;
}

Result<Octets> public_key_of(const Secret& private_key) {
    Octets key{};
    if (crypto_scalarmult_base(key.data(), private_key.data()) != 0) {
        return fail(Errc::unsupported, "libsodium makes no public key of that private key");
    }
    return key;
}

std::optional<Octets> hash_of(ByteView first, ByteView second) {
    return blake2s({first, second});
}

std::optional<Secret> shared_of(const Secret& own, ByteView theirs) {
    Secret shared;
    return theirs.size() == kKeyBytes &&
                   crypto_scalarmult(shared.data(), own.data(), theirs.data()) == 0
               ? std::optional(shared)
               : std::nullopt;
}

template <std::size_t Count>
std::optional<std::array<Secret, Count>> derive(const Secret& key, ByteView input) {
    const auto root = hmac(key, {input});
    std::array<Secret, Count> derived;
    for (std::size_t at = 0; root && at < Count; ++at) {
        const Bytes number{static_cast<std::uint8_t>(at + 1)};
        const auto next =
            at == 0 ? hmac(*root, {number}) : hmac(*root, {view_of(derived[at - 1]), number});
        if (!next) {
            return std::nullopt;
        }
        derived[at] = *next;
    }
    return root ? std::optional(derived) : std::nullopt;
}

template std::optional<std::array<Secret, 1>> derive<1>(const Secret& key, ByteView input);
template std::optional<std::array<Secret, 2>> derive<2>(const Secret& key, ByteView input);
template std::optional<std::array<Secret, 3>> derive<3>(const Secret& key, ByteView input);

Bytes seal(const Secret& key, ByteView plain, const Octets& hash) {
    constexpr std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> kFirst{};
    Bytes sealed(plain.size() + kTagBytes);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(),
                                              hash.data(), hash.size(), nullptr, kFirst.data(),
                                              key.data());
    return sealed;
}

std::optional<Bytes> open(const Secret& key, ByteView sealed, const Octets& hash) {
    constexpr std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> kFirst{};
    if (sealed.size() < kTagBytes) {
        return std::nullopt;
    }
    Bytes plain(sealed.size() - kTagBytes);
    return crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data(),
                                                     sealed.size(), hash.data(), hash.size(),
                                                     kFirst.data(), key.data()) == 0
               ? std::optional(std::move(plain))
               : std::nullopt;
}

std::optional<std::pair<Secret, Octets>> beginning(const Octets& server) {
    const auto chain = hash_of(to_bytes(kConstruction));
    const auto named = chain ? hash_of(*chain, to_bytes(kIdentifier)) : std::nullopt;
    const auto hash = named ? hash_of(*named, server) : std::nullopt;
    return hash ? std::optional(std::pair(Secret(*chain), *hash)) : std::nullopt;
}

Result<Handshake> Handshake::begin(const Account& account, std::uint32_t index,
                                   const Secret& ephemeral, const Timestamp& timestamp) {
    const auto start = beginning(account.server);
    if (!start) {
        return tl::unexpected(no_blake2s());
    }
    VPNHA_TRY(const Octets own, public_key_of(account.private_key));
    VPNHA_TRY(const Octets shown, public_key_of(ephemeral));
    const auto with_ephemeral = shared_of(ephemeral, account.server);
    const auto with_static = shared_of(account.private_key, account.server);
    if (!with_ephemeral || !with_static) {
        return fail(Errc::malformed, "the server's public key is none");
    }
    Handshake made;
    made.index_ = index;
    made.ephemeral_ = ephemeral;
    ByteWriter writer;
    writer.u8(kInitiation).u8(0).u16(0);
    write_index(writer, index);
    writer.bytes(shown);

    const auto first = derive<1>(start->first, shown);
    const auto second = first ? derive<2>((*first)[0], view_of(*with_ephemeral)) : std::nullopt;
    const auto third = second ? derive<2>((*second)[0], view_of(*with_static)) : std::nullopt;
    auto hash = hash_of(start->second, shown);
    if (!third || !hash) {
        return tl::unexpected(no_blake2s());
    }
    for (const auto& [key, plain] : {std::pair<const Secret&, ByteView>((*second)[1], own),
                                     std::pair<const Secret&, ByteView>((*third)[1], timestamp)}) {
        const Bytes sealed = seal(key, plain, *hash);
        writer.bytes(sealed);
        hash = hash_of(*hash, sealed);
        if (!hash) {
            return tl::unexpected(no_blake2s());
        }
    }
    made.chain_ = (*third)[0];
    made.hash_ = *hash;
    const auto key_of_mac = hash_of(to_bytes(kLabelOfMac), account.server);
    const auto mac = key_of_mac ? mac_of(*key_of_mac, writer.view()) : std::nullopt;
    if (!mac) {
        return tl::unexpected(no_blake2s());
    }
    // The second one is for a cookie, and no server has sent one.
    writer.bytes(*mac).bytes(std::array<std::uint8_t, kMacBytes>{});
    made.initiation_ = std::move(writer).take();
    return made;
}

bool Handshake::is_answered_by(ByteView response, const Account& account) const {
    ByteReader reader(response);
    const bool is_response = reader.u8() == kResponse && reader.u8() == 0 && reader.u16() == 0;
    reader.take(sizeof(std::uint32_t));  // The server's index.
    const bool is_mine = read_index(reader) == index_;
    const ByteView shown = reader.take(kKeyBytes);
    const ByteView sealed = reader.take(kTagBytes);
    reader.take(2 * kMacBytes);
    if (!reader.finished() || !is_response || !is_mine) {
        return false;
    }
    const auto with_ephemeral = shared_of(ephemeral_, shown);
    const auto with_static = shared_of(account.private_key, shown);
    const auto hash = hash_of(hash_, shown);
    if (!with_ephemeral || !with_static || !hash) {
        return false;
    }
    const auto first = derive<1>(chain_, shown);
    const auto second = first ? derive<1>((*first)[0], view_of(*with_ephemeral)) : std::nullopt;
    const auto third = second ? derive<1>((*second)[0], view_of(*with_static)) : std::nullopt;
    const auto last = third ? derive<3>((*third)[0], view_of(account.preshared)) : std::nullopt;
    const auto with_preshared = last ? hash_of(*hash, view_of((*last)[1])) : std::nullopt;
    const auto nothing = with_preshared ? open((*last)[2], sealed, *with_preshared) : std::nullopt;
    return nothing && nothing->empty();
}

}  // namespace vpnha::probe::noise
