// SPDX-License-Identifier: GPL-2.0-or-later
// The record that a gateway accepts no new clients. It exists as long as that is so.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "cluster/wire/record_key.hpp"
#include "vpnha/result.hpp"

namespace vpnha::keepers {

struct DrainRecord {
    std::uint64_t since_unix_ms = 0;  // By the clock of the node that received the order.
    friend bool operator==(const DrainRecord&, const DrainRecord&) = default;
};

// A gateway has at most one.
[[nodiscard]] wire::RecordKey drain_record_key();
[[nodiscard]] Bytes encode_drain(const DrainRecord& record);
[[nodiscard]] Result<DrainRecord> parse_drain(ByteView payload);

}  // namespace vpnha::keepers
