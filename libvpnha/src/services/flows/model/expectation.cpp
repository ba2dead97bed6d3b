// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/expectation.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::conntrack {

namespace {

// First octet of a payload: the version in the upper four bits.
constexpr std::uint8_t kExpectationVersion = 1 << 4;
constexpr std::uint8_t kExpectationVersionMask = 0xf0;
constexpr std::uint8_t kFromAddress = 0x01;
constexpr std::uint8_t kFromPart = 0x02;
constexpr std::uint8_t kHasNat = 0x04;
constexpr std::uint8_t kNatOfReply = 0x08;

void write_short(ByteWriter& out, ByteView octets) {
    out.u8(static_cast<std::uint8_t>(octets.size())).bytes(octets);
}

ByteView read_short(ByteReader& in) {
    return in.take(in.u8());
}

Expectation::Nat read_nat(ByteReader& in, bool reply, bool ipv4) {
    Expectation::Nat nat;
    nat.reply = reply;
    const std::optional<IpAddress> address = ip_address_of(in.take(ipv4 ? 4 : 16));
    if (address) {
        nat.address = *address;
    } else {
        in.fail();
    }
    nat.part = in.u16();
    return nat;
}

bool is_nothing(const IpAddress& address) {
    for (const std::uint8_t octet : address.octets()) {
        if (octet != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

Bytes encode_payload(const Expectation& expectation) {
    int head = kExpectationVersion;
    head |= expectation.from_address ? kFromAddress : 0;
    head |= expectation.from_part ? kFromPart : 0;
    if (expectation.nat) {
        head |= kHasNat | (expectation.nat->reply ? kNatOfReply : 0);
    }
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(head));
    out.u8(expectation.flags).u8(expectation.policy_class).u32(expectation.timeout_s);
    write_short(out, encode_key(expectation.parent).view());
    write_short(out, to_bytes(expectation.helper));
    write_short(out, to_bytes(expectation.function));
    if (expectation.nat) {
        out.bytes(expectation.nat->address.octets()).u16(expectation.nat->part);
    }
    return std::move(out).take();
}

Result<Expectation> parse_expectation(ByteView id, ByteView payload) {
    Expectation expectation;
    VPNHA_TRY(expectation.key, parse_key(id));
    ByteReader in(payload);
    const std::uint8_t head = in.u8();
    if (in.ok() && (head & kExpectationVersionMask) != kExpectationVersion) {
        return fail(Errc::unsupported, fmt::format("expectation of version {}", head >> 4));
    }
    expectation.from_address = (head & kFromAddress) != 0;
    expectation.from_part = (head & kFromPart) != 0;
    expectation.flags = in.u8();
    expectation.policy_class = in.u8();
    expectation.timeout_s = in.u32();
    VPNHA_TRY(expectation.parent, parse_key(read_short(in)));
    expectation.helper = to_text(read_short(in));
    expectation.function = to_text(read_short(in));
    if ((head & kHasNat) != 0) {
        expectation.nat =
            read_nat(in, (head & kNatOfReply) != 0, expectation.key.original.source.is_v4());
    } else if ((head & kNatOfReply) != 0) {
        in.fail();
    }
    if (!in.finished()) {
        return fail(Errc::malformed,
                    fmt::format("expectation: payload of {} octets", payload.size()));
    }
    VPNHA_CHECK(validate(expectation));
    return expectation;
}

Result<void> validate(const Expectation& expectation) {
    const FlowKey& key = expectation.key;
    VPNHA_CHECK(validate(key));
    VPNHA_CHECK(validate(expectation.parent));
    const bool ipv4 = key.original.source.is_v4();
    if (expectation.parent.zone != key.zone || key.zone.scope == ZoneScope::reply ||
        expectation.parent.original.source.is_v4() != ipv4 ||
        (expectation.nat && expectation.nat->address.is_v4() != ipv4)) {
        return fail(Errc::malformed, "expectation: of another zone or family than its parent");
    }
    if ((!expectation.from_address && !is_nothing(key.original.source)) ||
        (!expectation.from_part && key.original.source_part != 0) ||
        (expectation.from_part && !has_parts(key.protocol))) {
        return fail(Errc::malformed, "expectation: a source that is not asked for, or has no part");
    }
    if ((expectation.flags & ~kExpectFlags) != 0 ||
        expectation.policy_class > limits::kExpectClassMax) {
        return fail(Errc::malformed, fmt::format("expectation: flags {:#04x}, class {}",
                                                 expectation.flags, expectation.policy_class));
    }
    if (std::chrono::seconds(expectation.timeout_s) > limits::kFlowTimeoutMax) {
        return fail(Errc::malformed,
                    fmt::format("expectation: timeout {} s", expectation.timeout_s));
    }
    if (!is_kernel_name(expectation.helper, limits::kHelperNameBytesMax) ||
        !is_kernel_name(expectation.function, limits::kExpectFunctionBytesMax)) {
        return fail(Errc::malformed, "expectation: no name of a helper or function");
    }
    return {};
}

bool names_helper(const Expectation& expectation) {
    return expectation.helper.starts_with("sip");
}

}  // namespace vpnha::conntrack
