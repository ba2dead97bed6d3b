// SPDX-License-Identifier: GPL-2.0-or-later
// Wire version 1. CANNOT change: nodes of an older release speak it during a rolling upgrade.
//
//   magic "VPNH" (4)  version (1)  type (1)  body  CRC-32 of all before it (4)
#include <fmt/format.h>
#include <zlib.h>

#include "base/limits.hpp"
#include "wire/message.hpp"

namespace vpnha::wire {

namespace {

constexpr std::uint32_t kMagic = 0x56504e48;  // "VPNH"
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNodeNameBytesMax = 255;

// A record's flags; bits not named here are reserved and must be 0.
constexpr std::uint8_t kFlagErased = 0x01;

// Message types in the order of the variant: the number on the wire is the index plus one.
enum class Type : std::uint8_t {
    hello = 1,
    claim = 2,
    update = 3,
    snapshot_request = 4,
    snapshot = 5,
    snapshot_end = 6,
    confirm = 7,
};

std::uint32_t checksum(ByteView bytes) {
    return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
}

void write(ByteWriter& out, const Epoch& epoch) {
    out.u64(epoch.number).u32(epoch.node.value);
}

// Epoch numbers and sequences only grow by one; a huge one is no message of ours.
std::uint64_t read_counter(ByteReader& in) {
    const std::uint64_t value = in.u64();
    if (value > limits::kCounterMax) {
        in.fail();
    }
    return value;
}

Epoch read_epoch(ByteReader& in) {
    const std::uint64_t number = read_counter(in);
    return Epoch{number, NodeId{in.u32()}};
}

void write(ByteWriter& out, const RecordKey& key) {
    out.u8(static_cast<std::uint8_t>(key.type)).prefixed(key.id);
}

RecordKey read_key(ByteReader& in) {
    const auto type = static_cast<RecordType>(in.u8());
    const ByteView id = in.take_prefixed(limits::kRecordIdBytesMax);
    return RecordKey{type, Bytes(id.begin(), id.end())};
}

Bytes read_payload(ByteReader& in) {
    const ByteView payload = in.take_prefixed(limits::kRecordPayloadBytesMax);
    return {payload.begin(), payload.end()};
}

GatewayId read_gateway(ByteReader& in) {
    return GatewayId{in.u8()};
}

// Reads `count` items, stopping at the first failure: a hostile count costs no memory.
template <class Item, class Read>
std::vector<Item> read_list(ByteReader& in, std::size_t count, Read read) {
    std::vector<Item> items;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        items.push_back(read(in));
    }
    return items;
}

void write(ByteWriter& out, const Hello& hello) {
    out.u8(hello.version_min).u8(hello.version_max).u64(hello.instance);
    out.prefixed(hello.node_name).u8(static_cast<std::uint8_t>(hello.gateways.size()));
    for (const GatewayState& state : hello.gateways) {
        out.u8(state.gateway.value).u8(state.promoted ? 1 : 0);
        out.u8(static_cast<std::uint8_t>(state.level));
        write(out, state.epoch);
    }
}

// A level beyond those known counts as empty: whoever sends it is not relied upon.
Level read_level(ByteReader& in) {
    const std::uint8_t level = in.u8();
    return level <= static_cast<std::uint8_t>(Level::complete) ? static_cast<Level>(level)
                                                               : Level::empty;
}

Hello read_hello(ByteReader& in) {
    Hello hello;
    hello.version_min = in.u8();
    hello.version_max = in.u8();
    hello.instance = in.u64();
    hello.node_name = to_text(in.take_prefixed(kNodeNameBytesMax));
    hello.gateways = read_list<GatewayState>(in, in.u8(), [](ByteReader& r) {
        GatewayState state;
        state.gateway = read_gateway(r);
        state.promoted = r.u8() != 0;
        state.level = read_level(r);
        state.epoch = read_epoch(r);
        return state;
    });
    return hello;
}

void write(ByteWriter& out, const Claim& claim) {
    out.u8(claim.gateway.value);
    write(out, claim.epoch);
}

Claim read_claim(ByteReader& in) {
    const GatewayId gateway = read_gateway(in);
    return Claim{gateway, read_epoch(in)};
}

void write(ByteWriter& out, const Update& update) {
    out.u8(update.gateway.value);
    write(out, update.epoch);
    out.u64(update.base).u32(static_cast<std::uint32_t>(update.changes.size()));
    for (const Change& change : update.changes) {
        out.u8(change.erased ? kFlagErased : 0);
        write(out, change.key);
        out.prefixed(change.payload);
    }
}

Update read_update(ByteReader& in) {
    Update update;
    update.gateway = read_gateway(in);
    update.epoch = read_epoch(in);
    update.base = read_counter(in);
    update.changes = read_list<Change>(in, in.u32(), [](ByteReader& r) {
        Change change;
        change.erased = (r.u8() & kFlagErased) != 0;
        change.key = read_key(r);
        change.payload = read_payload(r);
        return change;
    });
    return update;
}

void write(ByteWriter& out, const SnapshotRequest& request) {
    out.u8(request.gateway.value);
}

SnapshotRequest read_snapshot_request(ByteReader& in) {
    return SnapshotRequest{read_gateway(in)};
}

void write(ByteWriter& out, const Snapshot& snapshot) {
    out.u8(snapshot.gateway.value);
    write(out, snapshot.epoch);
    out.u32(static_cast<std::uint32_t>(snapshot.records.size()));
    for (const SnapshotRecord& record : snapshot.records) {
        write(out, record.key);
        write(out, record.version.epoch);
        out.u64(record.version.sequence).prefixed(record.payload);
    }
}

Snapshot read_snapshot(ByteReader& in) {
    Snapshot snapshot;
    snapshot.gateway = read_gateway(in);
    snapshot.epoch = read_epoch(in);
    snapshot.records = read_list<SnapshotRecord>(in, in.u32(), [](ByteReader& r) {
        SnapshotRecord record;
        record.key = read_key(r);
        record.version.epoch = read_epoch(r);
        record.version.sequence = read_counter(r);
        record.payload = read_payload(r);
        return record;
    });
    return snapshot;
}

void write(ByteWriter& out, const SnapshotEnd& end) {
    out.u8(end.gateway.value);
    write(out, end.epoch);
    out.u64(end.sequence).u32(end.count).u64(end.digest);
}

SnapshotEnd read_snapshot_end(ByteReader& in) {
    SnapshotEnd end;
    end.gateway = read_gateway(in);
    end.epoch = read_epoch(in);
    end.sequence = read_counter(in);
    end.count = in.u32();
    end.digest = in.u64();
    return end;
}

void write(ByteWriter& out, const Confirm& confirm) {
    out.u8(confirm.gateway.value);
    write(out, confirm.epoch);
    out.u64(confirm.sequence).u32(static_cast<std::uint32_t>(confirm.refused.size()));
    for (const std::uint64_t sequence : confirm.refused) {
        out.u64(sequence);
    }
}

Confirm read_confirm(ByteReader& in) {
    Confirm confirm;
    confirm.gateway = read_gateway(in);
    confirm.epoch = read_epoch(in);
    confirm.sequence = read_counter(in);
    confirm.refused = read_list<std::uint64_t>(in, in.u32(), read_counter);
    return confirm;
}

Result<Message> read_body(std::uint8_t type, ByteReader& in) {
    switch (static_cast<Type>(type)) {
        case Type::hello:
            return read_hello(in);
        case Type::claim:
            return read_claim(in);
        case Type::update:
            return read_update(in);
        case Type::snapshot_request:
            return read_snapshot_request(in);
        case Type::snapshot:
            return read_snapshot(in);
        case Type::snapshot_end:
            return read_snapshot_end(in);
        case Type::confirm:
            return read_confirm(in);
    }
    return fail(Errc::malformed, fmt::format("unknown message type {}", type));
}

}  // namespace

Bytes encode(const Message& message) {
    ByteWriter out;
    out.u32(kMagic).u8(kVersion).u8(static_cast<std::uint8_t>(message.index() + 1));
    std::visit([&out](const auto& body) { write(out, body); }, message);
    const std::uint32_t sum = checksum(out.view());
    out.u32(sum);
    return std::move(out).take();
}

Result<Message> parse_message(ByteView bytes) {
    constexpr std::size_t kTrailer = 4;
    if (bytes.size() < kTrailer) {
        return fail(Errc::malformed, "message shorter than its checksum");
    }
    const ByteView covered = bytes.first(bytes.size() - kTrailer);
    ByteReader trailer(bytes.last(kTrailer));
    ByteReader in(covered);
    if (in.u32() != kMagic) {
        return fail(Errc::malformed, "message of another program: wrong magic");
    }
    const std::uint8_t version = in.u8();
    if (version != kVersion) {
        return fail(Errc::unsupported, fmt::format("wire version {}; this node speaks {} to {}",
                                                   version, kVersionMin, kVersionMax));
    }
    if (trailer.u32() != checksum(covered)) {
        return fail(Errc::malformed, "checksum differs");
    }
    const std::uint8_t type = in.u8();
    VPNHA_TRY(Message message, read_body(type, in));
    if (!in.finished()) {
        return fail(Errc::malformed,
                    fmt::format("message type {} is cut short or has bytes left over", type));
    }
    return message;
}

std::size_t encoded_size(const Change& change) {
    return 1 + 1 + 2 + change.key.id.size() + 2 + change.payload.size();
}

std::size_t encoded_size(const SnapshotRecord& record) {
    return 1 + 2 + record.key.id.size() + 12 + 8 + 2 + record.payload.size();
}

}  // namespace vpnha::wire
