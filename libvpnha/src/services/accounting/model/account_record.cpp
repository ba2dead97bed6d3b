// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/model/account_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

constexpr std::uint8_t kAccountRecordVersion = 1;
constexpr std::uint8_t kStarted = 0x01;
constexpr std::uint8_t kEnded = 0x02;
constexpr std::uint8_t kHasDevice = 0x04;
constexpr std::uint8_t kHasInterim = 0x08;
constexpr std::uint8_t kNoPpp = 0x10;
constexpr std::uint8_t kHasIpv6 = 0x20;
constexpr std::uint8_t kHasPrefixes = 0x40;
constexpr std::uint8_t kHasIdentifier = 0x80;
constexpr std::size_t kAddressBytesMax = 16;

void write_traffic(ByteWriter& writer, const Traffic& traffic) {
    writer.u64(traffic.octets_in).u64(traffic.octets_out);
    writer.u64(traffic.packets_in).u64(traffic.packets_out);
}

Traffic read_traffic(ByteReader& reader) {
    Traffic traffic;
    traffic.octets_in = reader.u64();
    traffic.octets_out = reader.u64();
    traffic.packets_in = reader.u64();
    traffic.packets_out = reader.u64();
    return traffic;
}

std::vector<Bytes> read_classes(ByteReader& reader) {
    std::vector<Bytes> classes;
    const std::size_t count = reader.u8();
    if (count > limits::kRadiusClassesMax) {
        reader.fail();
    }
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const ByteView octets = reader.take_prefixed(limits::kRadiusTextBytesMax);
        classes.emplace_back(octets.begin(), octets.end());
    }
    return classes;
}

void write_prefixes(ByteWriter& writer, const std::vector<RadiusPrefix>& prefixes) {
    writer.u8(static_cast<std::uint8_t>(prefixes.size()));
    for (const RadiusPrefix& each : prefixes) {
        writer.u8(static_cast<std::uint8_t>(each.kind)).u8(each.net.length);
        writer.bytes(each.net.address.octets());
    }
}

std::vector<RadiusPrefix> read_prefixes(ByteReader& reader) {
    std::vector<RadiusPrefix> prefixes;
    const std::size_t count = reader.u8();
    if (count == 0 || count > limits::kRadiusPrefixesMax) {
        reader.fail();
    }
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        RadiusPrefix& each = prefixes.emplace_back();
        each.kind = static_cast<RadiusPrefix::Kind>(reader.u8());
        each.net.length = reader.u8();
        const auto address = ip_address_of(reader.take(kAddressBytesMax));
        each.net.address = address.value_or(IpAddress());
        if (!address || !is_sound(each)) {
            reader.fail();
        }
    }
    return prefixes;
}

AccountEnd read_end(ByteReader& reader) {
    AccountEnd end;
    const std::uint8_t cause = reader.u8();
    if (cause == 0 || cause > kEndCauseMax) {
        reader.fail();
    }
    end.cause = static_cast<EndCause>(cause);
    end.unix_ms = reader.u64();
    return end;
}

IpAddress read_peer(ByteReader& reader) {
    const auto address = ip_address_of(reader.take_prefixed(kAddressBytesMax));
    if (!address) {
        reader.fail();
    }
    return address.value_or(IpAddress());
}

CountedDevice read_device(ByteReader& reader) {
    CountedDevice device;
    device.node = NodeId{reader.u32()};
    device.index = reader.u32();
    device.traffic = read_traffic(reader);
    return device;
}

AccountId read_id(ByteReader& reader) {
    AccountId id;
    id.began_s = reader.u32();
    id.epoch.number = reader.u64();
    id.epoch.node = NodeId{reader.u32()};
    id.count = reader.u32();
    return id;
}

}  // namespace

wire::RecordKey record_key_of(const AccountId& id) {
    ByteWriter writer;
    writer.u32(id.began_s).u64(id.epoch.number).u32(id.epoch.node.value).u32(id.count);
    return {wire::RecordType::account, wire::RecordId(std::move(writer).take())};
}

Bytes encode_account(const AccountRecord& record) {
    ByteWriter writer;
    const int flags = (record.started ? kStarted : 0) | (record.end ? kEnded : 0) |
                      (record.device ? kHasDevice : 0) | (record.interim_s != 0 ? kHasInterim : 0) |
                      (record.is_ppp ? 0 : kNoPpp) | (record.address6 ? kHasIpv6 : 0) |
                      (record.prefixes.empty() ? 0 : kHasPrefixes) |
                      (record.identifier != 0 ? kHasIdentifier : 0);
    writer.u8(kAccountRecordVersion).u8(static_cast<std::uint8_t>(flags));
    writer.u8(static_cast<std::uint8_t>(record.session.type)).prefixed(record.session.id.view());
    writer.prefixed(record.user).u8(static_cast<std::uint8_t>(record.classes.size()));
    for (const Bytes& each : record.classes) {
        writer.prefixed(each);
    }
    writer.u32(record.address.value).prefixed(record.peer.octets());
    writer.u64(record.began_unix_ms).u32(record.reported_seconds);
    write_traffic(writer, record.total);
    if (record.end) {
        writer.u8(static_cast<std::uint8_t>(record.end->cause)).u64(record.end->unix_ms);
    }
    if (record.device) {
        writer.u32(record.device->node.value).u32(record.device->index);
        write_traffic(writer, record.device->traffic);
    }
    if (record.interim_s != 0) {
        writer.u32(record.interim_s);
    }
    if (record.address6) {
        writer.bytes(record.address6->octets);
    }
    if (!record.prefixes.empty()) {
        write_prefixes(writer, record.prefixes);
    }
    if (record.identifier != 0) {
        writer.u64(record.identifier);
    }
    return std::move(writer).take();
}

Result<AccountRecord> parse_account(const wire::RecordKey& key, ByteView payload) {
    ByteReader id(key.id.view());
    AccountRecord record;
    record.id = read_id(id);
    ByteReader reader(payload);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version != kAccountRecordVersion) {
        return fail(Errc::unsupported, fmt::format("account record of version {}", version));
    }
    const std::uint8_t flags = reader.u8();
    record.started = (flags & kStarted) != 0;
    record.is_ppp = (flags & kNoPpp) == 0;
    const auto type = static_cast<wire::RecordType>(reader.u8());
    record.session = {type, wire::RecordId(reader.take_prefixed(limits::kRecordIdBytesMax))};
    record.user = to_text(reader.take_prefixed(limits::kUserNameBytesMax));
    record.classes = read_classes(reader);
    record.address = Ipv4Address{reader.u32()};
    record.peer = read_peer(reader);
    record.began_unix_ms = reader.u64();
    record.reported_seconds = reader.u32();
    record.total = read_traffic(reader);
    if ((flags & kEnded) != 0) {
        record.end = read_end(reader);
    }
    if ((flags & kHasDevice) != 0) {
        record.device = read_device(reader);
    }
    if ((flags & kHasInterim) != 0) {
        record.interim_s = reader.u32();
        if (record.interim_s == 0) {
            reader.fail();  // It would be written without.
        }
    }
    if ((flags & kHasIpv6) != 0) {
        Ipv6Address& address = record.address6.emplace();
        std::ranges::copy(reader.take(address.octets.size()), address.octets.begin());
    }
    if ((flags & kHasPrefixes) != 0) {
        record.prefixes = read_prefixes(reader);
    }
    if ((flags & kHasIdentifier) != 0) {
        record.identifier = reader.u64();
        if (record.identifier == 0) {
            reader.fail();
        }
    }
    if (!id.finished() || !reader.finished()) {
        return fail(Errc::malformed, fmt::format("account record of {} octets", payload.size()));
    }
    return record;
}

std::string session_id_of(GatewayId gateway, const AccountId& id) {
    return fmt::format("{:08x}-{:x}-{:x}.{:x}-{:x}", id.began_s, gateway.value, id.epoch.number,
                       id.epoch.node.value, id.count);
}

std::optional<AccountName> parse_session_id(const std::string& text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto number = [&](auto& into, char behind) {
        const auto [next, error] = std::from_chars(at, end, into, 16);
        const bool is_last = behind == '\0';
        const bool good =
            error == std::errc() && (is_last ? next == end : next != end && *next == behind);
        at = next + (good && !is_last ? 1 : 0);
        return good;
    };
    AccountName name;
    if (number(name.id.began_s, '-') && number(name.gateway.value, '-') &&
        number(name.id.epoch.number, '.') && number(name.id.epoch.node.value, '-') &&
        number(name.id.count, '\0') && session_id_of(name.gateway, name.id) == text) {
        return name;
    }
    return std::nullopt;
}

bool fits(const SessionIdentity& identity, const AccountRecord& record) {
    const bool has_classes =
        std::all_of(identity.classes.begin(), identity.classes.end(), [&record](const Bytes& each) {
            return std::find(record.classes.begin(), record.classes.end(), each) !=
                   record.classes.end();
        });
    return has_classes && (!identity.user || *identity.user == record.user) &&
           (!identity.address || *identity.address == record.address) &&
           (!identity.peer || *identity.peer == to_string(record.peer));
}

void count_traffic(AccountRecord& record, const CountedDevice& device, const Traffic& before) {
    const bool is_same =
        record.device && record.device->node == device.node && record.device->index == device.index;
    record.total += passed_between(is_same ? record.device->traffic : before, device.traffic);
    record.device = device;
}

}  // namespace vpnha::keepers
