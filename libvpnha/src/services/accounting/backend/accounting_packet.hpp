// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of RADIUS accounting (RFC 2866). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/accounting/work.hpp"

namespace vpnha::adapters {

// The sender of the requests.
struct AccountingNas {
    std::string identifier;
    Ipv4Address address;
};

// `unix_s`: now; the event's time is computed from it. nullopt: this machine's libcrypto has no
// MD5.
[[nodiscard]] std::optional<Bytes> encode_accounting(const node::AccountingRequest& request,
                                                     const AccountingNas& nas, std::uint8_t id,
                                                     ByteView secret, std::uint64_t unix_s);

// Whether `answer` is the Accounting-Response to that request, from a server that knows the secret.
// Its attributes are ignored.
[[nodiscard]] bool is_answer_to(ByteView request, ByteView answer, ByteView secret);

}  // namespace vpnha::adapters
