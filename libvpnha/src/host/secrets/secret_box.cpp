// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_box.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

// Not used for anything else with the cluster's key.
constexpr std::string_view kSealPurpose = "vpnha sealed secrets 1";
static_assert(kSealPurpose.size() >= crypto_generichash_KEYBYTES_MIN &&
              kSealPurpose.size() <= crypto_generichash_KEYBYTES_MAX);

constexpr std::size_t kSealKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kSealTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SecretBox::kOverhead == kNonceBytes + kSealTagBytes);

void write_nonce(ByteView key, ByteView context, ByteView plain, std::uint8_t* nonce) {
    // The length in front: the end of a context is never taken for the start of a plaintext.
    const Bytes length = std::move(ByteWriter().u64(context.size())).take();
    crypto_generichash_state state{};
    crypto_generichash_init(&state, key.data(), key.size(), kNonceBytes);
    for (const ByteView part : {ByteView(length), context, plain}) {
        crypto_generichash_update(&state, part.data(), part.size());
    }
    crypto_generichash_final(&state, nonce, kNonceBytes);
    sodium_memzero(&state, sizeof state);
}

}  // namespace

Result<SecretBox> SecretBox::make(std::string_view cluster_key) {
    VPNHA_TRY(SecretBytes keys, SecretBytes::with_room(2 * kSealKeyBytes));
    const ByteView key = to_bytes(cluster_key);
    const ByteView purpose = to_bytes(kSealPurpose);
    crypto_generichash(keys.room().data(), keys.room().size(), key.data(), key.size(),
                       purpose.data(), purpose.size());
    keys.take(2 * kSealKeyBytes);
    return SecretBox(std::move(keys));
}

Result<Bytes> SecretBox::seal(ByteView context, ByteView plain) const {
    if (plain.size() > limits::kSecretBytesMax) {
        return fail(Errc::limit, fmt::format("a secret of {} octets; {} are the most", plain.size(),
                                             limits::kSecretBytesMax));
    }
    Bytes sealed(plain.size() + kOverhead);
    write_nonce(keys_.view().first(kSealKeyBytes), context, plain, sealed.data());
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed.data() + kNonceBytes, nullptr, plain.data(), plain.size(), context.data(),
        context.size(), nullptr, sealed.data(), keys_.view().last(kSealKeyBytes).data());
    return sealed;
}

Result<void> SecretBox::open(ByteView context, ByteView sealed, SecretBytes& plain) const {
    if (sealed.size() < kOverhead || sealed.size() - kOverhead > limits::kSecretBytesMax) {
        return fail(Errc::malformed, fmt::format("a sealed secret of {} octets", sealed.size()));
    }
    const std::size_t size = sealed.size() - kOverhead;
    const std::span<std::uint8_t> room = plain.room();
    if (room.size() < size) {
        return fail(Errc::limit, fmt::format("no room for a secret of {} octets", size));
    }
    const ByteView ciphertext = sealed.subspan(kNonceBytes);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            room.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(), context.data(),
            context.size(), sealed.data(), keys_.view().last(kSealKeyBytes).data()) != 0) {
        return fail(Errc::permission,
                    "a sealed secret does not open: another cluster key, or not its place");
    }
    plain.take(size);
    return {};
}

}  // namespace vpnha::adapters
