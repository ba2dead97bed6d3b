// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/addresses/model/address_record.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

constexpr std::uint8_t kAddressRecordVersion = 1;
constexpr std::uint8_t kHeld = 0x01;
constexpr std::uint8_t kHasSession = 0x02;

}  // namespace

wire::RecordKey record_key_of(Ipv4Address address) {
    ByteWriter writer;
    writer.u32(address.value);
    return {wire::RecordType::client_address, wire::RecordId(std::move(writer).take())};
}

Bytes encode_address(const AddressRecord& record) {
    ByteWriter writer;
    const int flags = (record.held ? kHeld : 0) | (record.session ? kHasSession : 0);
    writer.u8(kAddressRecordVersion).u8(static_cast<std::uint8_t>(flags)).prefixed(record.user);
    if (record.session) {
        writer.u8(static_cast<std::uint8_t>(record.session->type));
        writer.prefixed(record.session->id.view());
    }
    return std::move(writer).take();
}

Result<AddressRecord> parse_address(const wire::RecordKey& key, ByteView payload) {
    ByteReader id(key.id.view());
    AddressRecord record;
    record.address = Ipv4Address{id.u32()};
    ByteReader reader(payload);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kAddressRecordVersion) {
        return fail(Errc::unsupported, fmt::format("address record of version {}", version));
    }
    const std::uint8_t flags = reader.u8();
    record.user = to_text(reader.take_prefixed(limits::kUserNameBytesMax));
    record.held = (flags & kHeld) != 0;
    if ((flags & kHasSession) != 0) {
        const auto type = static_cast<wire::RecordType>(reader.u8());
        record.session =
            wire::RecordKey{type, wire::RecordId(reader.take_prefixed(limits::kRecordIdBytesMax))};
    }
    if (!id.finished() || !reader.finished() || (flags & ~(kHeld | kHasSession)) != 0) {
        return fail(Errc::malformed, fmt::format("address record of {} octets", payload.size()));
    }
    return record;
}

}  // namespace vpnha::keepers
