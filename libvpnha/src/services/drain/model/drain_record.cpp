// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/drain/model/drain_record.hpp"

#include <fmt/format.h>

namespace vpnha::keepers {

namespace {

constexpr std::uint8_t kDrainRecordVersion = 1;

}  // namespace

wire::RecordKey drain_record_key() {
    return {wire::RecordType::drain, {}};
}

Bytes encode_drain(const DrainRecord& record) {
    ByteWriter writer;
    writer.u8(kDrainRecordVersion).u64(record.since_unix_ms);
    return std::move(writer).take();
}

Result<DrainRecord> parse_drain(ByteView payload) {
    ByteReader reader(payload);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kDrainRecordVersion) {
        return fail(Errc::unsupported, fmt::format("drain record of version {}", version));
    }
    const DrainRecord record{reader.u64()};
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("drain record of {} octets", payload.size()));
    }
    return record;
}

}  // namespace vpnha::keepers
