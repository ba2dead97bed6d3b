// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/radius_packet.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace vpnha::adapters {

namespace {

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

}  // namespace

void RadiusAttributes::add(RadiusType type, ByteView octets) {
    if (!octets.empty()) {
        const ByteView value = octets.first(std::min(octets.size(), kRadiusValueBytesMax));
        writer_.u8(static_cast<std::uint8_t>(type));
        writer_.u8(static_cast<std::uint8_t>(value.size() + 2)).bytes(value);
    }
}

void RadiusAttributes::add(RadiusType type, const std::string& text) {
    add(type, to_bytes(text));
}

void RadiusAttributes::add(RadiusType type, std::uint64_t number) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
    ByteWriter value;
    value.u32(static_cast<std::uint32_t>(std::min(number, kMax)));
    add(type, value.view());
}

std::optional<RadiusDigest> md5(std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    RadiusDigest digest{};
    bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1;
    for (const ByteView part : parts) {
        done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    }
    if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
        return std::nullopt;
    }
    return digest;
}

std::optional<RadiusDigest> hmac_md5(ByteView key, std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_PKEY, FreeDigest> secret(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, key.data(), key.size()));
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    RadiusDigest digest{};
    std::size_t size = digest.size();
    bool done = secret != nullptr && context != nullptr &&
                EVP_DigestSignInit(context.get(), nullptr, EVP_md5(), nullptr, secret.get()) == 1;
    for (const ByteView part : parts) {
        done = done && EVP_DigestSignUpdate(context.get(), part.data(), part.size()) == 1;
    }
    if (!done || EVP_DigestSignFinal(context.get(), digest.data(), &size) != 1) {
        return std::nullopt;
    }
    return digest;
}

bool is_digest(const std::optional<RadiusDigest>& digest, ByteView octets) {
    return digest && octets.size() == digest->size() &&
           CRYPTO_memcmp(digest->data(), octets.data(), digest->size()) == 0;
}

ByteView answer_in(ByteView datagram, ByteView request) {
    ByteReader reader(datagram);
    reader.u8();  // The code.
    const std::uint8_t id = reader.u8();
    const std::size_t length = reader.u16();
    const bool is_answer = reader.ok() && id == request[1] && length >= kRadiusHeaderBytes &&
                           length <= datagram.size();
    return is_answer ? datagram.first(length) : ByteView();
}

bool is_signed_answer(ByteView answer, ByteView request, ByteView secret) {
    constexpr std::size_t kBytes = sizeof(RadiusDigest);
    const auto digest = md5({answer.first(kRadiusAuthenticatorOffset),
                             request.subspan(kRadiusAuthenticatorOffset, kBytes),
                             answer.subspan(kRadiusHeaderBytes), secret});
    return is_digest(digest, answer.subspan(kRadiusAuthenticatorOffset, kBytes));
}

}  // namespace vpnha::adapters
