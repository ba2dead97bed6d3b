// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/model/echo_record.hpp"

namespace vpnha::echo {

namespace {

wire::RecordKey key_of(wire::RecordType type, SessionId id) {
    return {type, wire::RecordId(encode_number(id))};
}

Result<std::uint64_t> parse_u64(ByteView bytes, const char* what) {
    ByteReader reader(bytes);
    const std::uint64_t value = reader.u64();
    if (!reader.finished()) {
        return fail(Errc::malformed, what);
    }
    return value;
}

}  // namespace

wire::RecordKey session_key(SessionId id) {
    return key_of(wire::RecordType::echo_session, id);
}

wire::RecordKey number_key(SessionId id) {
    return key_of(wire::RecordType::echo_number, id);
}

Result<SessionId> parse_key(const wire::RecordKey& key) {
    return parse_u64(key.id.view(), "echo: an id has 8 octets");
}

Bytes encode_number(std::uint64_t next) {
    ByteWriter writer;
    writer.u64(next);
    return std::move(writer).take();
}

Result<std::uint64_t> parse_number(ByteView payload) {
    return parse_u64(payload, "echo: a number has 8 octets");
}

}  // namespace vpnha::echo
