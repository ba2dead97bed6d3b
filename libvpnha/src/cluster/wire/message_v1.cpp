// SPDX-License-Identifier: GPL-2.0-or-later
// Wire version 1. CANNOT change: nodes of an older release use it during a rolling upgrade.
//
//   type (1)  body
#include <fmt/format.h>

#include "base/limits.hpp"
#include "cluster/wire/codec.hpp"
#include "cluster/wire/record_traits.hpp"

namespace vpnha::wire {

namespace {

constexpr std::size_t kNodeNameBytesMax = 255;
constexpr std::size_t kFingerprintNameBytesMax = 255;

// A record's flags; bits not named here are reserved and must be 0.
constexpr std::uint8_t kFlagErased = 0x01;

// Message types: those below kOptionalMessageType in the order of the variant, from 1.
enum class Type : std::uint8_t {
    hello = 1,
    setup = 2,
    claim = 3,
    update = 4,
    digest = 5,
    snapshot_request = 6,
    snapshot = 7,
    snapshot_end = 8,
    confirm = 9,
    barrier = 10,
    move = kOptionalMessageType,
    clock,
};

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

void write(ByteWriter& out, const Version& version) {
    write(out, version.epoch);
    out.u64(version.sequence);
}

Version read_version(ByteReader& in) {
    const Epoch epoch = read_epoch(in);
    return Version{epoch, read_counter(in)};
}

void write(ByteWriter& out, const RecordKey& key) {
    out.u8(static_cast<std::uint8_t>(key.type)).prefixed(key.id.view());
}

RecordKey read_key(ByteReader& in) {
    const auto type = static_cast<RecordType>(in.u8());
    return RecordKey{type, RecordId(in.take_prefixed(limits::kRecordIdBytesMax))};
}

SmallBytes read_payload(ByteReader& in, RecordType type) {
    return SmallBytes(in.take_prefixed(traits_of(type).payload_max));
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

// Flags of a gateway's state; further ones are ignored.
constexpr std::uint8_t kPromoted = 0x01;
constexpr std::uint8_t kUnreceived = 0x02;
constexpr std::uint8_t kOutsideLost = 0x04;
constexpr std::uint8_t kInsideLost = 0x08;
constexpr std::uint8_t kStandsIn = 0x10;
constexpr std::uint8_t kYields = 0x20;
constexpr std::uint8_t kEndedByOrder = 0x40;
constexpr std::uint8_t kClaimedPartial = 0x80;

void write(ByteWriter& out, const Hello& hello) {
    out.u8(hello.version_min).u8(hello.version_max).u64(hello.features).u64(hello.instance);
    out.prefixed(hello.node_name).u8(static_cast<std::uint8_t>(hello.gateways.size()));
    for (const GatewayState& state : hello.gateways) {
        out.u8(state.gateway.value);
        out.u8(static_cast<std::uint8_t>(
            (state.promoted ? kPromoted : 0) | (state.unreceived ? kUnreceived : 0) |
            (state.outside_lost ? kOutsideLost : 0) | (state.inside_lost ? kInsideLost : 0) |
            (state.stands_in ? kStandsIn : 0) | (state.yields ? kYields : 0) |
            (state.ended_by_order ? kEndedByOrder : 0) |
            (state.claimed_partial ? kClaimedPartial : 0)));
        out.u8(static_cast<std::uint8_t>(state.level))
            .u8(static_cast<std::uint8_t>(state.standing));
        write(out, state.epoch);
        out.u64(state.sequence).bytes(state.macs.outside).bytes(state.macs.inside);
        out.u64(state.witness);
    }
}

// A level beyond those known counts as empty: its sender is not relied upon.
Level read_level(ByteReader& in) {
    const std::uint8_t level = in.u8();
    return level <= static_cast<std::uint8_t>(Level::complete) ? static_cast<Level>(level)
                                                               : Level::empty;
}

MacAddress read_mac(ByteReader& in) {
    MacAddress mac{};
    const ByteView octets = in.take(mac.size());
    std::copy(octets.begin(), octets.end(), mac.begin());
    return mac;
}

Hello read_hello(ByteReader& in) {
    Hello hello;
    hello.version_min = in.u8();
    hello.version_max = in.u8();
    hello.features = in.u64();
    hello.instance = in.u64();
    hello.node_name = to_text(in.take_prefixed(kNodeNameBytesMax));
    hello.gateways = read_list<GatewayState>(in, in.u8(), [](ByteReader& r) {
        GatewayState state;
        state.gateway = read_gateway(r);
        const std::uint8_t flags = r.u8();
        state.promoted = (flags & kPromoted) != 0;
        state.unreceived = (flags & kUnreceived) != 0;
        state.outside_lost = (flags & kOutsideLost) != 0;
        state.inside_lost = (flags & kInsideLost) != 0;
        state.stands_in = (flags & kStandsIn) != 0;
        state.yields = (flags & kYields) != 0;
        state.ended_by_order = (flags & kEndedByOrder) != 0;
        state.claimed_partial = (flags & kClaimedPartial) != 0;
        state.level = read_level(r);
        state.standing = read_level(r);
        state.epoch = read_epoch(r);
        state.sequence = read_counter(r);
        state.macs.outside = read_mac(r);
        state.macs.inside = read_mac(r);
        state.witness = r.u64();
        return state;
    });
    return hello;
}

void write(ByteWriter& out, const Setup& setup) {
    out.u8(setup.gateway.value).u16(static_cast<std::uint16_t>(setup.items.size()));
    for (const Fingerprint& item : setup.items) {
        out.prefixed(item.name).u8(static_cast<std::uint8_t>(item.weight)).u64(item.hash);
    }
}

Setup read_setup(ByteReader& in) {
    Setup setup;
    setup.gateway = read_gateway(in);
    const std::size_t count = in.u16();
    if (count > limits::kFingerprintsMax) {
        in.fail();
    }
    setup.items = read_list<Fingerprint>(in, count, [](ByteReader& r) {
        Fingerprint item;
        item.name = to_text(r.take_prefixed(kFingerprintNameBytesMax));
        // A weight beyond those known counts as the heavier one.
        item.weight = r.u8() == 0 ? Weight::note : Weight::session;
        item.hash = r.u64();
        return item;
    });
    return setup;
}

void write(ByteWriter& out, const Claim& claim) {
    out.u8(claim.gateway.value);
    write(out, claim.epoch);
    out.u32(claim.count).u64(claim.digest).u8(static_cast<std::uint8_t>(claim.level));
}

Claim read_claim(ByteReader& in) {
    Claim claim;
    claim.gateway = read_gateway(in);
    claim.epoch = read_epoch(in);
    claim.count = in.u32();
    claim.digest = in.u64();
    claim.level = read_level(in);
    return claim;
}

void write(ByteWriter& out, const Update& update) {
    out.u8(update.gateway.value);
    write(out, update.epoch);
    out.u64(update.base).u32(static_cast<std::uint32_t>(update.changes.size()));
    std::size_t size = 0;
    for (const Change& change : update.changes) {
        size += encoded_size(change);
    }
    out.reserve(out.size() + size);
    for (const Change& change : update.changes) {
        out.u8(change.erased ? kFlagErased : 0);
        write(out, change.key);
        out.prefixed(change.payload);
    }
}

Update read_update_head(ByteReader& in) {
    Update update;
    update.gateway = read_gateway(in);
    update.epoch = read_epoch(in);
    update.base = read_counter(in);
    return update;
}

Update read_update(ByteReader& in) {
    Update update = read_update_head(in);
    update.changes = read_list<Change>(in, in.u32(), [](ByteReader& r) {
        Change change;
        change.erased = (r.u8() & kFlagErased) != 0;
        change.key = read_key(r);
        change.payload = read_payload(r, change.key.type);
        return change;
    });
    return update;
}

void write(ByteWriter& out, const Digest& digest) {
    out.u8(digest.gateway.value);
    write(out, digest.epoch);
    out.u64(digest.sequence).u32(digest.count).u64(digest.digest);
}

Digest read_digest(ByteReader& in) {
    Digest digest;
    digest.gateway = read_gateway(in);
    digest.epoch = read_epoch(in);
    digest.sequence = read_counter(in);
    digest.count = in.u32();
    digest.digest = in.u64();
    return digest;
}

void write(ByteWriter& out, const SnapshotRequest& request) {
    out.u8(request.gateway.value).u8(static_cast<std::uint8_t>(request.reason));
    write(out, request.since);
}

SnapshotRequest read_snapshot_request(ByteReader& in) {
    SnapshotRequest request;
    request.gateway = read_gateway(in);
    request.reason = static_cast<ResyncReason>(in.u8());
    request.since = read_version(in);
    return request;
}

void write(ByteWriter& out, const Snapshot& snapshot) {
    out.u8(snapshot.gateway.value);
    write(out, snapshot.epoch);
    write(out, snapshot.since);
    out.u8(snapshot.first ? 1 : 0).u32(static_cast<std::uint32_t>(snapshot.records.size()));
    for (const SnapshotRecord& record : snapshot.records) {
        out.u8(record.erased ? kFlagErased : 0);
        write(out, record.key);
        write(out, record.version);
        out.prefixed(record.payload);
    }
}

Snapshot read_snapshot_head(ByteReader& in) {
    Snapshot snapshot;
    snapshot.gateway = read_gateway(in);
    snapshot.epoch = read_epoch(in);
    snapshot.since = read_version(in);
    snapshot.first = in.u8() != 0;
    return snapshot;
}

Snapshot read_snapshot(ByteReader& in) {
    Snapshot snapshot = read_snapshot_head(in);
    snapshot.records = read_list<SnapshotRecord>(in, in.u32(), [](ByteReader& r) {
        SnapshotRecord record;
        record.erased = (r.u8() & kFlagErased) != 0;
        record.key = read_key(r);
        record.version = read_version(r);
        record.payload = read_payload(r, record.key.type);
        return record;
    });
    return snapshot;
}

void write(ByteWriter& out, const SnapshotEnd& end) {
    out.u8(end.gateway.value);
    write(out, end.epoch);
    write(out, end.since);
    out.u64(end.sequence).u32(end.count).u64(end.digest);
}

SnapshotEnd read_snapshot_end(ByteReader& in) {
    SnapshotEnd end;
    end.gateway = read_gateway(in);
    end.epoch = read_epoch(in);
    end.since = read_version(in);
    end.sequence = read_counter(in);
    end.count = in.u32();
    end.digest = in.u64();
    return end;
}

void write(ByteWriter& out, const Confirm& confirm) {
    out.u8(confirm.gateway.value);
    write(out, confirm.epoch);
    out.u64(confirm.sequence).u64(confirm.held);
    out.u32(static_cast<std::uint32_t>(confirm.refused.size()));
    for (const Version& version : confirm.refused) {
        write(out, version);
    }
}

Confirm read_confirm(ByteReader& in) {
    Confirm confirm;
    confirm.gateway = read_gateway(in);
    confirm.epoch = read_epoch(in);
    confirm.sequence = read_counter(in);
    confirm.held = read_counter(in);
    if (confirm.held < confirm.sequence) {
        in.fail();
    }
    confirm.refused = read_list<Version>(in, in.u32(), read_version);
    return confirm;
}

void write(ByteWriter& out, const Barrier& barrier) {
    out.u8(barrier.gateway.value);
    write(out, barrier.epoch);
}

Barrier read_barrier(ByteReader& in) {
    Barrier barrier;
    barrier.gateway = read_gateway(in);
    barrier.epoch = read_epoch(in);
    return barrier;
}

void write(ByteWriter& out, const Move& move) {
    out.u8(move.gateway.value).u8(static_cast<std::uint8_t>(move.phase));
    write(out, move.epoch);
    out.u32(move.to.value).u32(move.silence_us).u32(move.sessions);
}

Move read_move(ByteReader& in) {
    Move move;
    move.gateway = read_gateway(in);
    move.phase = static_cast<MovePhase>(in.u8());
    move.epoch = read_epoch(in);
    move.to = NodeId{in.u32()};
    move.silence_us = in.u32();
    move.sessions = in.u32();
    return move;
}

void write(ByteWriter& out, const Clock& clock) {
    out.u8(clock.gateway.value);
    write(out, clock.epoch);
    out.u64(clock.gateway_ms).u64(clock.unix_ms);
}

Clock read_clock(ByteReader& in) {
    Clock clock;
    clock.gateway = read_gateway(in);
    clock.epoch = read_epoch(in);
    clock.gateway_ms = in.u64();
    clock.unix_ms = in.u64();
    return clock;
}

std::uint8_t type_of(const Message& message) {
    if (std::holds_alternative<Move>(message)) {
        return static_cast<std::uint8_t>(Type::move);
    }
    if (std::holds_alternative<Clock>(message)) {
        return static_cast<std::uint8_t>(Type::clock);
    }
    return static_cast<std::uint8_t>(message.index() + 1);
}

Result<Message> read_body(std::uint8_t type, ByteReader& in) {
    switch (static_cast<Type>(type)) {
        case Type::hello:
            return read_hello(in);
        case Type::setup:
            return read_setup(in);
        case Type::claim:
            return read_claim(in);
        case Type::update:
            return read_update(in);
        case Type::digest:
            return read_digest(in);
        case Type::snapshot_request:
            return read_snapshot_request(in);
        case Type::snapshot:
            return read_snapshot(in);
        case Type::snapshot_end:
            return read_snapshot_end(in);
        case Type::confirm:
            return read_confirm(in);
        case Type::barrier:
            return read_barrier(in);
        case Type::move:
            return read_move(in);
        case Type::clock:
            return read_clock(in);
    }
    if ((type & kOptionalMessageType) != 0) {
        in.rest();
        return Extension{type};
    }
    return fail(Errc::malformed, fmt::format("unknown message type {}", type));
}

void encode_v1(ByteWriter& out, const Message& message) {
    if (const auto* extension = std::get_if<Extension>(&message)) {
        out.u8(extension->type);
        return;
    }
    out.u8(type_of(message));
    std::visit(
        [&out](const auto& body) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, Extension>) {
                write(out, body);
            }
        },
        message);
}

Result<Message> parse_v1(ByteReader& in) {
    const std::uint8_t type = in.u8();
    VPNHA_TRY(Message message, read_body(type, in));
    if (!in.finished()) {
        return fail(Errc::malformed,
                    fmt::format("message type {} is cut short or has bytes left over", type));
    }
    return message;
}

Result<Message> parse_own_v1(ByteReader& in) {
    ByteReader head = in;
    const auto type = static_cast<Type>(head.u8());
    if (type == Type::update) {
        return read_update_head(head);
    }
    if (type == Type::snapshot) {
        return read_snapshot_head(head);
    }
    return parse_v1(in);
}

}  // namespace

const Codec& version_1() {
    static const Codec kCodec{1, encode_v1, parse_v1, parse_own_v1};
    return kCodec;
}

std::size_t encoded_size(const Change& change) {
    return 1 + 1 + 2 + change.key.id.view().size() + 2 + change.payload.size();
}

std::size_t encoded_size(const SnapshotRecord& record) {
    return 1 + 1 + 2 + record.key.id.view().size() + 12 + 8 + 2 + record.payload.size();
}

}  // namespace vpnha::wire
