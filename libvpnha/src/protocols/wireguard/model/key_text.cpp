// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/key_text.hpp"

#include <sodium.h>

#include <array>

namespace vpnha::wireguard {

namespace {

constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
constexpr std::size_t kTextBytes = 44;

}  // namespace

bool parse_key_text(std::string_view text, std::span<std::uint8_t, kKeyBytes> octets) {
    std::size_t size = 0;
    // Accepts only one text for each key: with unused bits 0, and with the padding.
    const bool is_key = text.size() == kTextBytes &&
                        sodium_base642bin(octets.data(), octets.size(), text.data(), text.size(),
                                          nullptr, &size, nullptr, kBase64) == 0 &&
                        size == octets.size();
    if (!is_key) {
        sodium_memzero(octets.data(), octets.size());
    }
    return is_key;
}

std::string to_string(const PublicKey& key) {
    std::array<char, kTextBytes + 1> text{};
    return sodium_bin2base64(text.data(), text.size(), key.octets.data(), key.octets.size(),
                             kBase64);
}

}  // namespace vpnha::wireguard
