// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/key_text.hpp"

#include <algorithm>

namespace vpnha::wireguard {

namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kTextBytes = 44;
constexpr char kPadding = '=';

}  // namespace

bool parse_key_text(std::string_view text, std::span<std::uint8_t, kKeyBytes> octets) {
    bool is_key = text.size() == kTextBytes && text.back() == kPadding;
    std::uint32_t bits = 0;
    std::size_t held = 0;  // Of `bits`.
    std::size_t written = 0;
    for (std::size_t i = 0; is_key && i + 1 < kTextBytes; ++i) {
        const std::size_t digit = kDigits.find(text[i]);
        is_key = digit != std::string_view::npos;
        bits = bits << 6 | static_cast<std::uint32_t>(digit & 0x3f);
        held += 6;
        if (held >= 8) {
            held -= 8;
            octets[written++] = static_cast<std::uint8_t>(bits >> held);
        }
    }
    // The last digit has two bits that no octet has.
    is_key = is_key && (bits & 0x3) == 0;
    if (!is_key) {
        std::ranges::fill(octets, std::uint8_t{0});
    }
    return is_key;
}

std::string to_string(const PublicKey& key) {
    std::string text;
    std::uint32_t bits = 0;
    std::size_t held = 0;
    for (const std::uint8_t octet : key.octets) {
        bits = bits << 8 | octet;
        for (held += 8; held >= 6;) {
            held -= 6;
            text += kDigits[bits >> held & 0x3f];
        }
    }
    text += kDigits[bits << (6 - held) & 0x3f];
    return text + kPadding;
}

}  // namespace vpnha::wireguard
