// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/flow_record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vpnha::conntrack {

namespace {

// First octet of an identity.
constexpr std::uint8_t kIpv6 = 0x01;
constexpr std::uint8_t kZoned = 0x02;  // A zone follows; the next two bits have the scope.
constexpr std::uint8_t kScopeShift = 2;
constexpr std::uint8_t kScopeMask = 0x0c;
constexpr std::uint8_t kIdFlags = kIpv6 | kZoned | kScopeMask;

// Head of a payload: the version in the upper four bits, flags of its fields in the others.
constexpr std::uint16_t kVersion = 1 << 12;
constexpr std::uint16_t kVersionMask = 0xf000;
constexpr std::uint16_t kHasTcp = 0x001;
constexpr std::uint16_t kHasMark = 0x002;
constexpr std::uint16_t kHasLabels = 0x004;
constexpr std::uint16_t kHasHelper = 0x008;
constexpr std::uint16_t kHasAdjusted = 0x010;  // And the next bit for the reply's direction.
constexpr std::uint16_t kHasParent = 0x040;
// If the reply is not the inverse of the original.
constexpr std::uint16_t kOtherSource = 0x080;
constexpr std::uint16_t kOtherDestination = 0x100;
constexpr std::uint16_t kOtherSourcePart = 0x200;
constexpr std::uint16_t kOtherDestinationPart = 0x400;
constexpr std::uint16_t kHeadBits = 0x7ff;

constexpr std::uint8_t kStatusSeenReply = 0x01;
constexpr std::uint8_t kStatusAssured = 0x02;

constexpr std::uint8_t kScaleMax = 14;

template <std::size_t Capacity>
void write_key(Octets<Capacity>& out, const FlowKey& key) {
    const bool zoned = key.zone.id != 0;
    int flags = key.original.source.is_v4() ? 0 : kIpv6;
    if (zoned) {
        flags |= kZoned | static_cast<int>(key.zone.scope) << kScopeShift;
    }
    out.u8(static_cast<std::uint8_t>(flags));
    out.u8(key.protocol);
    if (zoned) {
        out.u16(key.zone.id);
    }
    out.bytes(key.original.source.octets());
    out.bytes(key.original.destination.octets());
    if (has_parts(key.protocol)) {
        out.u16(key.original.source_part);
        out.u16(key.original.destination_part);
    }
}

IpAddress read_address(ByteReader& in, bool ipv4) {
    const ByteView octets = in.take(ipv4 ? 4 : 16);
    const std::optional<IpAddress> address = ip_address_of(octets);
    if (!address) {
        in.fail();
    }
    return address.value_or(IpAddress{});
}

// Fails the reader when it is none.
FlowKey read_key(ByteReader& in) {
    FlowKey key;
    const std::uint8_t flags = in.u8();
    key.protocol = in.u8();
    const bool ipv4 = (flags & kIpv6) == 0;
    if ((flags & ~kIdFlags) != 0) {
        in.fail();
    }
    const int scope = (flags & kScopeMask) >> kScopeShift;
    if ((flags & kZoned) != 0) {
        key.zone.id = in.u16();
        key.zone.scope = static_cast<ZoneScope>(scope);
    }
    if (scope > static_cast<int>(ZoneScope::reply) ||
        (key.zone.id == 0 && (flags & (kZoned | kScopeMask)) != 0)) {
        in.fail();
    }
    key.original.source = read_address(in, ipv4);
    key.original.destination = read_address(in, ipv4);
    if (has_parts(key.protocol)) {
        key.original.source_part = in.u16();
        key.original.destination_part = in.u16();
    }
    return key;
}

// Seven bits an octet, the lowest first; the upper bit means that more follow.
void write_number(FlowPayload& out, std::uint32_t value) {
    while (value >= 0x80) {
        out.u8(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    out.u8(static_cast<std::uint8_t>(value));
}

std::uint32_t read_number(ByteReader& in) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        const std::uint8_t octet = in.u8();
        value |= std::uint64_t{octet & 0x7fU} << shift;
        if ((octet & 0x80) == 0) {
            if ((octet == 0 && shift > 0) || value > UINT32_MAX) {
                in.fail();  // Not the shortest form, or too much.
            }
            return static_cast<std::uint32_t>(value);
        }
    }
    in.fail();
    return 0;
}

// Two values of four bits, the original direction's in the lower ones.
std::uint8_t pair_of(const std::array<std::uint8_t, 2>& values) {
    return static_cast<std::uint8_t>((values[0] & 0x0f) | (values[1] & 0x0f) << 4);
}
std::array<std::uint8_t, 2> read_pair(ByteReader& in) {
    const std::uint8_t octet = in.u8();
    return {static_cast<std::uint8_t>(octet & 0x0f), static_cast<std::uint8_t>(octet >> 4)};
}

void write_adjustment(FlowPayload& out, const SequenceAdjustment& adjustment) {
    out.u32(adjustment.position);
    out.u32(static_cast<std::uint32_t>(adjustment.before));
    out.u32(static_cast<std::uint32_t>(adjustment.after));
}

SequenceAdjustment read_adjustment(ByteReader& in) {
    SequenceAdjustment adjustment;
    adjustment.position = in.u32();
    adjustment.before = static_cast<std::int32_t>(in.u32());
    adjustment.after = static_cast<std::int32_t>(in.u32());
    return adjustment;
}

bool is_nothing(const SequenceAdjustment& adjustment) {
    return adjustment == SequenceAdjustment{};
}

bool is_nothing(const Labels& labels) {
    return std::all_of(labels.begin(), labels.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::uint16_t head_of(const Flow& flow, const Tuple& expected) {
    int head = kVersion;
    const auto has = [&head](bool there, std::uint16_t bit) { head |= there ? bit : 0; };
    has(flow.tcp.has_value(), kHasTcp);
    has(flow.mark != 0, kHasMark);
    has(flow.labels.has_value(), kHasLabels);
    has(!flow.helper.empty(), kHasHelper);
    has(flow.adjusted[0].has_value(), kHasAdjusted);
    has(flow.adjusted[1].has_value(), kHasAdjusted << 1);
    has(flow.parent.has_value(), kHasParent);
    has(flow.reply.source != expected.source, kOtherSource);
    has(flow.reply.destination != expected.destination, kOtherDestination);
    has(flow.reply.source_part != expected.source_part, kOtherSourcePart);
    has(flow.reply.destination_part != expected.destination_part, kOtherDestinationPart);
    return static_cast<std::uint16_t>(head);
}

void read_reply(ByteReader& in, std::uint16_t head, Flow& flow) {
    const bool ipv4 = flow.key.original.source.is_v4();
    const Tuple expected = invert(flow.key.protocol, flow.key.original);
    flow.reply = expected;
    if ((head & kOtherSource) != 0) {
        flow.reply.source = read_address(in, ipv4);
    }
    if ((head & kOtherDestination) != 0) {
        flow.reply.destination = read_address(in, ipv4);
    }
    if ((head & kOtherSourcePart) != 0) {
        flow.reply.source_part = in.u16();
    }
    if ((head & kOtherDestinationPart) != 0) {
        flow.reply.destination_part = in.u16();
    }
    const std::uint16_t others =
        kOtherSource | kOtherDestination | kOtherSourcePart | kOtherDestinationPart;
    if ((head_of(flow, expected) & others) != (head & others)) {
        in.fail();  // Flagged as different, but equal.
    }
}

void read_tcp(ByteReader& in, Flow& flow) {
    Tcp tcp;
    tcp.state = static_cast<TcpState>(in.u8());
    tcp.scale = read_pair(in);
    tcp.flags = read_pair(in);
    for (const std::uint8_t flags : tcp.flags) {
        if ((flags & ~kTcpRecordFlags) != 0) {
            in.fail();
        }
    }
    flow.tcp = tcp;
}

void read_rest(ByteReader& in, std::uint16_t head, Flow& flow) {
    if ((head & kHasMark) != 0) {
        flow.mark = in.u32();
        if (flow.mark == 0) {
            in.fail();
        }
    }
    if ((head & kHasLabels) != 0) {
        const ByteView octets = in.take(Labels{}.size());
        flow.labels.emplace();
        std::copy(octets.begin(), octets.end(), flow.labels->begin());
    }
    if ((head & kHasHelper) != 0) {
        flow.helper = to_text(in.take(in.u8()));
        if (flow.helper.empty()) {
            in.fail();
        }
    }
    for (std::size_t side = 0; side < 2; ++side) {
        if ((head & kHasAdjusted << side) != 0) {
            flow.adjusted[side] = read_adjustment(in);
        }
    }
    if ((head & kHasParent) != 0) {
        flow.parent = read_key(in);
    }
}

bool of_one_family(const Tuple& tuple, bool ipv4) {
    return tuple.source.is_v4() == ipv4 && tuple.destination.is_v4() == ipv4;
}

}  // namespace

FlowId encode_key(const FlowKey& key) {
    FlowId id;
    write_key(id, key);
    return id;
}

Result<FlowKey> parse_key(ByteView id) {
    ByteReader in(id);
    const FlowKey key = read_key(in);
    if (!in.finished()) {
        return fail(Errc::malformed, fmt::format("flow: identity of {} octets", id.size()));
    }
    VPNHA_CHECK(validate(key));
    return key;
}

FlowPayload encode_payload(const Flow& flow) {
    const Tuple expected = invert(flow.key.protocol, flow.key.original);
    const std::uint16_t head = head_of(flow, expected);
    FlowPayload out;
    out.u16(head);
    out.u8(static_cast<std::uint8_t>(((flow.status & kSeenReply) != 0 ? kStatusSeenReply : 0) |
                                     ((flow.status & kAssured) != 0 ? kStatusAssured : 0)));
    write_number(out, flow.timeout_s);
    if (flow.tcp) {
        out.u8(static_cast<std::uint8_t>(flow.tcp->state));
        out.u8(pair_of(flow.tcp->scale));
        out.u8(pair_of({static_cast<std::uint8_t>(flow.tcp->flags[0] & kTcpRecordFlags),
                        static_cast<std::uint8_t>(flow.tcp->flags[1] & kTcpRecordFlags)}));
    }
    if ((head & kOtherSource) != 0) {
        out.bytes(flow.reply.source.octets());
    }
    if ((head & kOtherDestination) != 0) {
        out.bytes(flow.reply.destination.octets());
    }
    if ((head & kOtherSourcePart) != 0) {
        out.u16(flow.reply.source_part);
    }
    if ((head & kOtherDestinationPart) != 0) {
        out.u16(flow.reply.destination_part);
    }
    if (flow.mark != 0) {
        out.u32(flow.mark);
    }
    if (flow.labels) {
        out.bytes(*flow.labels);
    }
    if (!flow.helper.empty()) {
        out.u8(static_cast<std::uint8_t>(flow.helper.size()));
        out.bytes(to_bytes(flow.helper));
    }
    for (const std::optional<SequenceAdjustment>& adjustment : flow.adjusted) {
        if (adjustment) {
            write_adjustment(out, *adjustment);
        }
    }
    if (flow.parent) {
        write_key(out, *flow.parent);
    }
    return out;
}

Result<Flow> parse_flow(ByteView id, ByteView payload) {
    Flow flow;
    VPNHA_TRY(flow.key, parse_key(id));
    ByteReader in(payload);
    const std::uint16_t head = in.u16();
    if (in.ok() && (head & kVersionMask) != kVersion) {
        return fail(Errc::unsupported, fmt::format("flow record of version {}", head >> 12));
    }
    const std::uint8_t status = in.u8();
    if ((head & ~(kHeadBits | kVersionMask)) != 0 ||
        (status & ~(kStatusSeenReply | kStatusAssured)) != 0) {
        return fail(Errc::malformed,
                    fmt::format("flow: head {:#06x}, status {:#04x}", head, status));
    }
    flow.status = ((status & kStatusSeenReply) != 0 ? kSeenReply : 0) |
                  ((status & kStatusAssured) != 0 ? kAssured : 0);
    flow.timeout_s = read_number(in);
    if ((head & kHasTcp) != 0) {
        read_tcp(in, flow);
    }
    read_reply(in, head, flow);
    read_rest(in, head, flow);
    if (!in.finished()) {
        return fail(Errc::malformed, fmt::format("flow: payload of {} octets", payload.size()));
    }
    VPNHA_CHECK(validate(flow));
    return flow;
}

Result<void> validate(const FlowKey& key) {
    const bool ipv4 = key.original.source.is_v4();
    if (!of_one_family(key.original, ipv4)) {
        return fail(Errc::malformed, "flow: addresses of two families");
    }
    if ((key.protocol == kIcmp && !ipv4) || (key.protocol == kIcmpv6 && ipv4)) {
        return fail(Errc::malformed, "flow: ICMP of the other family");
    }
    if (key.zone.id == 0 && key.zone.scope != ZoneScope::both) {
        return fail(Errc::malformed, "flow: a scope of no zone");
    }
    return {};
}

bool is_kernel_name(std::string_view name, std::size_t bytes_max) {
    return name.size() <= bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '-' || c == '_' || c == '.';
           });
}

Result<void> validate(const Flow& flow) {
    VPNHA_CHECK(validate(flow.key));
    if (!of_one_family(flow.reply, flow.key.original.source.is_v4())) {
        return fail(Errc::malformed, "flow: a reply of another family");
    }
    if (std::chrono::seconds(flow.timeout_s) > limits::kFlowTimeoutMax) {
        return fail(Errc::malformed, fmt::format("flow: timeout {} s", flow.timeout_s));
    }
    if (flow.tcp && (flow.key.protocol != kTcp || flow.tcp->state > TcpState::syn_sent_2 ||
                     std::max(flow.tcp->scale[0], flow.tcp->scale[1]) > kScaleMax)) {
        return fail(Errc::malformed, "flow: no state of a TCP connection");
    }
    if (flow.labels && is_nothing(*flow.labels)) {
        return fail(Errc::malformed, "flow: labels without a label");
    }
    if (!is_kernel_name(flow.helper, limits::kHelperNameBytesMax)) {
        return fail(Errc::malformed, "flow: no name of a helper");
    }
    for (const std::optional<SequenceAdjustment>& adjustment : flow.adjusted) {
        if (adjustment && is_nothing(*adjustment)) {
            return fail(Errc::malformed, "flow: an adjustment by nothing");
        }
    }
    if (flow.parent) {
        VPNHA_CHECK(validate(*flow.parent));
        if (flow.parent->zone != flow.key.zone ||
            flow.parent->original.source.is_v4() != flow.key.original.source.is_v4()) {
            return fail(Errc::malformed, "flow: its parent is of another zone or family");
        }
    }
    return {};
}

}  // namespace vpnha::conntrack
