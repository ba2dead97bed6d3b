// SPDX-License-Identifier: GPL-2.0-or-later
// A key as `wg` writes it: 32 octets in base64 (RFC 4648), 44 characters. Other readers accept
// several texts for one key; this one accepts a single text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::wireguard {

// False: it is no key, and `octets` are not valid.
[[nodiscard]] bool parse_key_text(std::string_view text, std::span<std::uint8_t, kKeyBytes> octets);
[[nodiscard]] std::string to_string(const PublicKey& key);

}  // namespace vpnha::wireguard
