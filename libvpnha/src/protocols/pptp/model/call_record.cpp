// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/call_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.hpp"
#include "protocols/pptp/model/limits.hpp"

namespace vpnha::pptp {

namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::uint8_t kNumbersVersion = 1;
constexpr std::uint16_t kMssMin = 64;
constexpr std::uint8_t kWindowScaleMax = 14;  // RFC 7323 2.3

constexpr std::uint8_t kWindowScaling = 0x01;
constexpr std::uint8_t kSack = 0x02;
constexpr std::uint8_t kTimestamps = 0x04;

constexpr std::uint8_t kEchoOpen = 0x01;
constexpr std::uint8_t kNeverAcknowledges = 0x02;
constexpr std::uint8_t kHungUp = 0x04;
constexpr std::uint8_t kStopOpen = 0x08;

constexpr std::size_t kStartKeysBytes = 32;  // Of both directions.
constexpr std::string_view kSealPurpose = "pptp mppe keys ";

void write_key(ByteWriter& writer, const CallKey& key) {
    writer.u32(key.local.address.value).u16(key.local.port);
    writer.u32(key.peer.address.value).u16(key.peer.port);
    writer.u16(key.id.value).u16(key.peer_id.value);
}

CallKey read_key(ByteReader& reader) {
    CallKey key;
    key.local.address = Ipv4Address{reader.u32()};
    key.local.port = reader.u16();
    key.peer.address = Ipv4Address{reader.u32()};
    key.peer.port = reader.u16();
    key.id = CallId{reader.u16()};
    key.peer_id = CallId{reader.u16()};
    return key;
}

std::uint8_t flags_of(std::initializer_list<std::pair<bool, std::uint8_t>> flags) {
    std::uint8_t value = 0;
    for (const auto& [is_set, flag] : flags) {
        value = static_cast<std::uint8_t>(value | (is_set ? flag : 0));
    }
    return value;
}

// Fails with flags that this version does not have.
std::uint8_t read_flags(ByteReader& reader, std::uint8_t known) {
    const std::uint8_t flags = reader.u8();
    if ((flags & ~known) != 0) {
        reader.fail();
    }
    return flags;
}

void write_tcp(ByteWriter& writer, const TcpOptions& tcp) {
    writer.u16(tcp.mss);
    writer.u8(flags_of(
        {{tcp.window_scaling, kWindowScaling}, {tcp.sack, kSack}, {tcp.timestamps, kTimestamps}}));
    writer.u8(tcp.our_scale).u8(tcp.peer_scale);
}

TcpOptions read_tcp(ByteReader& reader) {
    TcpOptions tcp;
    tcp.mss = reader.u16();
    const std::uint8_t flags = read_flags(reader, kWindowScaling | kSack | kTimestamps);
    tcp.window_scaling = (flags & kWindowScaling) != 0;
    tcp.sack = (flags & kSack) != 0;
    tcp.timestamps = (flags & kTimestamps) != 0;
    tcp.our_scale = reader.u8();
    tcp.peer_scale = reader.u8();
    return tcp;
}

Result<void> validate_key(const CallKey& key) {
    for (const Ipv4Endpoint& endpoint : {key.local, key.peer}) {
        if (!is_unicast(endpoint)) {
            return fail(Errc::malformed,
                        fmt::format("call record: {} is no unicast endpoint", to_string(endpoint)));
        }
    }
    return {};
}

Result<void> validate_tcp(const TcpOptions& tcp) {
    if (tcp.mss < kMssMin) {
        return fail(Errc::malformed, fmt::format("call record: an MSS of {}", tcp.mss));
    }
    const std::uint8_t scale = std::max(tcp.our_scale, tcp.peer_scale);
    if (scale > (tcp.window_scaling ? kWindowScaleMax : 0)) {
        return fail(Errc::malformed, fmt::format("call record: a window scale of {}", scale));
    }
    return {};
}

bool is_kind(Mppe mppe) {
    constexpr std::array kKinds{Mppe::none, Mppe::bits40, Mppe::bits56, Mppe::bits128};
    return std::ranges::find(kKinds, mppe) != kKinds.end();
}

Result<void> validate_mppe(const CallRecord& record) {
    if (!is_kind(record.mppe)) {
        return fail(Errc::malformed, fmt::format("call record: MPPE with {} bits",
                                                 static_cast<unsigned>(record.mppe)));
    }
    if (record.sealed_keys.size() > limits::kPptpSealedKeysBytesMax ||
        record.sealed_keys.empty() != (record.mppe == Mppe::none)) {
        return fail(Errc::malformed,
                    fmt::format("call record: sealed keys of {} octets with MPPE of {} bits",
                                record.sealed_keys.size(), static_cast<unsigned>(record.mppe)));
    }
    return {};
}

}  // namespace

Bytes seal_context(const CallKey& key) {
    ByteWriter writer;
    writer.bytes(to_bytes(kSealPurpose));
    write_key(writer, key);
    return std::move(writer).take();
}

Bytes encode_key(const CallKey& key) {
    ByteWriter writer;
    write_key(writer, key);
    return std::move(writer).take();
}

Result<CallKey> parse_key(ByteView bytes) {
    ByteReader reader(bytes);
    const CallKey key = read_key(reader);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("call key of {} octets", bytes.size()));
    }
    VPNHA_CHECK(validate_key(key));
    return key;
}

Result<PluginIds> parse_plugin_ids(ByteView octets, const Ipv4Endpoint& local) {
    ByteReader reader(octets);
    PluginIds ids;
    ids.key.local = local;
    ids.key.peer.address = Ipv4Address{reader.u32()};
    ids.key.peer.port = reader.u16();
    ids.key.id = CallId{reader.u16()};
    ids.key.peer_id = CallId{reader.u16()};
    ids.mppe = static_cast<Mppe>(reader.u8());
    ids.keys = reader.take(ids.mppe == Mppe::none ? 0 : kStartKeysBytes);
    if (!reader.finished() || !is_kind(ids.mppe)) {
        return fail(Errc::malformed, "the ids of PPTP have a wrong length or no known MPPE");
    }
    VPNHA_CHECK(validate_key(ids.key));
    return ids;
}

Bytes encode_record(const CallRecord& record) {
    ByteWriter writer;
    writer.u8(kRecordVersion);
    write_key(writer, record.key);
    write_tcp(writer, record.tcp);
    writer.u8(static_cast<std::uint8_t>(record.mppe)).prefixed(ByteView(record.sealed_keys));
    ppp::write_facts(writer, record.facts);
    return std::move(writer).take();
}

Result<CallRecord> parse_record(ByteView bytes) {
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kRecordVersion) {
        return fail(Errc::unsupported, fmt::format("call record of version {}", version));
    }
    CallRecord record;
    record.key = read_key(reader);
    record.tcp = read_tcp(reader);
    record.mppe = static_cast<Mppe>(reader.u8());
    const ByteView keys = reader.take_prefixed(limits::kPptpSealedKeysBytesMax);
    record.sealed_keys.assign(keys.begin(), keys.end());
    record.facts = ppp::read_facts(reader);
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("call record of {} octets", bytes.size()));
    }
    VPNHA_CHECK(validate(record));
    return record;
}

Result<void> validate(const CallRecord& record) {
    VPNHA_CHECK(validate_key(record.key));
    VPNHA_CHECK(validate_tcp(record.tcp));
    VPNHA_CHECK(validate_mppe(record));
    return ppp::validate(record.facts);
}

Bytes encode_numbers(const CallNumbers& numbers) {
    ByteWriter writer;
    writer.u8(kNumbersVersion);
    writer.u32(numbers.snd_nxt).u32(numbers.rcv_nxt).u32(numbers.snd_wnd);
    writer.u32(numbers.tsval).u32(numbers.peer_tsval);
    writer.u32(numbers.echo_id);
    writer.u8(flags_of({{numbers.echo_open, kEchoOpen},
                        {numbers.never_acknowledges, kNeverAcknowledges},
                        {numbers.hung_up, kHungUp},
                        {numbers.stop_open, kStopOpen}}));
    writer.u32(numbers.gre_out).u32(numbers.gre_in);
    writer.u64(numbers.mppe_out).u64(numbers.mppe_in);
    return std::move(writer).take();
}

Result<CallNumbers> parse_numbers(ByteView bytes) {
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kNumbersVersion) {
        return fail(Errc::unsupported, fmt::format("call numbers of version {}", version));
    }
    CallNumbers numbers;
    numbers.snd_nxt = reader.u32();
    numbers.rcv_nxt = reader.u32();
    numbers.snd_wnd = reader.u32();
    numbers.tsval = reader.u32();
    numbers.peer_tsval = reader.u32();
    numbers.echo_id = reader.u32();
    const std::uint8_t flags =
        read_flags(reader, kEchoOpen | kNeverAcknowledges | kHungUp | kStopOpen);
    numbers.echo_open = (flags & kEchoOpen) != 0;
    numbers.never_acknowledges = (flags & kNeverAcknowledges) != 0;
    numbers.hung_up = (flags & kHungUp) != 0;
    numbers.stop_open = (flags & kStopOpen) != 0;
    numbers.gre_out = reader.u32();
    numbers.gre_in = reader.u32();
    numbers.mppe_out = reader.u64();
    numbers.mppe_in = reader.u64();
    if (!reader.finished()) {
        return fail(Errc::malformed, fmt::format("call numbers of {} octets", bytes.size()));
    }
    if (std::max(numbers.mppe_out, numbers.mppe_in) > limits::kCounterMax) {
        return fail(Errc::malformed, "call numbers: an MPPE index that no call reaches");
    }
    return numbers;
}

std::string to_string(const CallKey& key) {
    return fmt::format("{} call {}/{}", to_string(key.peer), key.id.value, key.peer_id.value);
}

}  // namespace vpnha::pptp
