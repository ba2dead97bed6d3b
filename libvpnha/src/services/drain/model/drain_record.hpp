// SPDX-License-Identifier: GPL-2.0-or-later
// The record that a gateway takes no new clients. It is there as long as that is so.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "cluster/wire/record_key.hpp"
#include "vpnha/result.hpp"

namespace vpnha::keepers {

struct DrainRecord {
    std::uint64_t since_unix_ms = 0;  // By the clock of the node that was asked.
    friend bool operator==(const DrainRecord&, const DrainRecord&) = default;
};

// A gateway has one at most.
[[nodiscard]] wire::RecordKey drain_record_key();
[[nodiscard]] Bytes encode_drain(const DrainRecord& record);
[[nodiscard]] Result<DrainRecord> parse_drain(ByteView payload);

}  // namespace vpnha::keepers
