// SPDX-License-Identifier: GPL-2.0-or-later
// What nodes tell each other of a session of echo, the toy protocol of CONTRIBUTING.md: a session
// with its secret, and beside it the number that its next answer has.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "cluster/wire/record_key.hpp"
#include "vpnha/result.hpp"

namespace vpnha::echo {

using SessionId = std::uint64_t;

// Both records have the same id.
[[nodiscard]] wire::RecordKey session_key(SessionId id);
[[nodiscard]] wire::RecordKey number_key(SessionId id);
[[nodiscard]] Result<SessionId> parse_key(const wire::RecordKey& key);

// The payload of a session is its sealed secret as it stands.
[[nodiscard]] Bytes encode_number(std::uint64_t next);
[[nodiscard]] Result<std::uint64_t> parse_number(ByteView payload);

}  // namespace vpnha::echo
