// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::uint16_t kVersion = 2;

constexpr std::uint8_t kSessionUp = 1;
constexpr std::uint8_t kSessionDown = 2;
constexpr std::uint8_t kExit = 3;
constexpr std::uint8_t kAsks = 4;
constexpr std::uint8_t kProtected = 129;
constexpr std::uint8_t kUnprotected = 130;
constexpr std::uint8_t kGiven = 131;
constexpr std::uint8_t kRefused = 132;
constexpr std::uint8_t kChanged = 133;

// Fields. A reader that does not know a field with this bit may skip it.
constexpr std::uint16_t kOptionalBit = 0x8000;
constexpr std::uint16_t kGateway = 1;
constexpr std::uint16_t kPid = 2;
constexpr std::uint16_t kProtocol = 3;
constexpr std::uint16_t kIds = 4;
constexpr std::uint16_t kOurOptions = 5;
constexpr std::uint16_t kTheirOptions = 6;
constexpr std::uint16_t kAddresses = 7;
constexpr std::uint16_t kEcho = 8;
constexpr std::uint16_t kEstablished = 9;
constexpr std::uint16_t kUser = 10;
constexpr std::uint16_t kDevice = 11;
constexpr std::uint16_t kNotResumable = 12;
constexpr std::uint16_t kReason = 13;
constexpr std::uint16_t kAddress = 14;
constexpr std::uint16_t kLastUpField = kNotResumable;
constexpr std::uint16_t kClass = kOptionalBit | 15;
constexpr std::uint16_t kCause = kOptionalBit | 16;
constexpr std::uint16_t kTraffic = kOptionalBit | 17;
constexpr std::uint16_t kTimeouts = kOptionalBit | 18;
constexpr std::uint16_t kIpv6 = kOptionalBit | 19;
constexpr std::uint16_t kRoute = kOptionalBit | 20;
constexpr std::uint16_t kProxied = kOptionalBit | 21;
constexpr std::uint16_t kInterim = kOptionalBit | 22;
constexpr std::uint16_t kRate = kOptionalBit | 23;
constexpr std::uint16_t kPrefix = kOptionalBit | 24;

constexpr std::uint8_t kProtocolCompression = 1;
constexpr std::uint8_t kAddressCompression = 2;

constexpr std::size_t kReasonBytesMax = 255;
constexpr std::size_t kProtocolBytesMax = 16;
// By bit of the field kNotResumable, lowest first.
constexpr std::string_view kReasons[] = {
    "compression (CCP) is in use or being negotiated; give pppd the option noccp",
    "MPPE is in use; give pppd the option nomppe",
    "Van Jacobson header compression is in use; give pppd the option novj",
    "the link is part of a multilink bundle; give pppd the option nomp",
    "the peer requires L2TP data sequencing",
    "",  // No reason any more.
    "this end is the LAC, not the LNS",
    "MPPE is stateful, or pppd has no keys of it; leave mppe-stateful out of pppd's options",
    "its device has an address that PPP has not negotiated",
    "its device has a queueing discipline",
    "there are routes to networks behind it, more than its record takes",
    "a default route leads over it",
    "the node answers ARP for more addresses behind it than its record takes",
    "xl2tpd carries it in user space; give xl2tpd.conf no 'force userspace', and load l2tp_ppp",
    "neither L2TP over IPv4 nor pptpd's PPTP carries it",
    "pppd filters its packets; leave pass-filter and active-filter out, and use nftables",
    "pppd authenticates it again and again; leave chap-interval out",
};
// The bits for settings made by scripts.
constexpr std::uint32_t kOfScripts = 0x1f00;

ppp::LinkOptions read_link_options(ByteReader& value) {
    ppp::LinkOptions options;
    options.mru = value.u16();
    options.magic = value.u32();
    options.asyncmap = value.u32();
    const std::uint8_t flags = value.u8();
    options.protocol_compression = (flags & kProtocolCompression) != 0;
    options.address_compression = (flags & kAddressCompression) != 0;
    return options;
}

std::vector<std::string> reasons_of(std::uint32_t bits) {
    std::vector<std::string> reasons;
    for (std::size_t bit = 0; bit < 32; ++bit) {
        if ((bits >> bit & 1) != 0) {
            reasons.push_back(bit < std::size(kReasons) && !kReasons[bit].empty()
                                  ? std::string(kReasons[bit])
                                  : fmt::format("the plugin names reason {}, unknown here", bit));
        }
    }
    return reasons;
}

std::string text_of(ByteReader& value, std::size_t length_max) {
    const std::size_t length = value.remaining();
    return to_text(value.take(length <= length_max ? length : length + 1));
}

// Reads the value of a field whose type is known; fails through `value`.
void read_field(std::uint16_t type, ByteReader& value, PluginSessionUp& up) {
    ppp::SessionFacts& facts = up.facts;
    switch (type) {
        case kGateway:
            up.gateway = text_of(value, limits::kGatewayNameBytesMax);
            break;
        case kPid:
            up.pid = value.u32();
            break;
        case kProtocol:
            up.protocol = text_of(value, kProtocolBytesMax);
            break;
        case kIds:
            up.ids = value.rest();
            break;
        case kOurOptions:
            facts.ours = read_link_options(value);
            break;
        case kTheirOptions:
            facts.theirs = read_link_options(value);
            break;
        case kAddresses:
            facts.our_address = Ipv4Address{value.u32()};
            facts.peer_address = Ipv4Address{value.u32()};
            break;
        case kEcho:
            facts.echo_interval_s = value.u16();
            facts.echo_failures = value.u16();
            facts.echo_is_adaptive = value.u8() != 0;
            break;
        case kEstablished:
            up.established_boot_ms = value.u64();
            break;
        case kUser:
            facts.user = text_of(value, limits::kUserNameBytesMax);
            break;
        case kDevice:
            facts.mtu = value.u16();
            facts.interface = text_of(value, limits::kInterfaceNameBytesMax);
            break;
        case kNotResumable: {
            const std::uint32_t bits = value.u32();
            up.not_resumable = reasons_of(bits & ~kOfScripts);
            up.done_by_scripts = reasons_of(bits & kOfScripts);
            break;
        }
        default:
            value.take(value.remaining() + 1);
            break;
    }
}

void add_class(ByteReader& value, std::vector<Bytes>& classes) {
    const ByteView octets = value.rest();
    if (octets.size() > limits::kRadiusTextBytesMax) {
        value.fail();
    } else if (classes.size() < limits::kRadiusClassesMax) {
        classes.emplace_back(octets.begin(), octets.end());
    }
}

void add_route(ByteReader& value, std::vector<IpPrefix>& routes) {
    const std::uint8_t length = value.u8();
    const ByteView octets = value.rest();
    const auto address = ip_address_of(octets);
    if (octets.size() != sizeof(Ipv4Address::value) &&
        octets.size() != sizeof(Ipv6Address::octets)) {
        value.fail();
    } else if (address && routes.size() < limits::kSessionRoutesMax) {
        routes.push_back({*address, length});
    }
}

void add_prefix(ByteReader& value, std::vector<RadiusPrefix>& prefixes) {
    RadiusPrefix prefix;
    prefix.kind = static_cast<RadiusPrefix::Kind>(value.u8());
    prefix.net.length = value.u8();
    // An IPv4-mapped one is none.
    const auto address = ip_address_of(value.take(sizeof(Ipv6Address::octets)));
    prefix.net.address = address.value_or(IpAddress());
    if (!is_sound(prefix)) {
        value.fail();
    } else if (address && prefixes.size() < limits::kRadiusPrefixesMax) {
        prefixes.push_back(prefix);
    }
}

void add_proxied(ByteReader& value, std::vector<PluginProxied>& proxied) {
    const std::size_t octets = value.u8();
    const auto address = ip_address_of(value.take(octets));
    std::string interface = text_of(value, limits::kInterfaceNameBytesMax);
    if (!address || interface.empty()) {
        value.fail();
    } else if (proxied.size() < limits::kSessionProxiedMax) {
        proxied.push_back({*address, std::move(interface)});
    }
}

// The same for an optional field. One that this release does not know is skipped.
void read_optional_field(std::uint16_t type, ByteReader& value, PluginSessionUp& up) {
    switch (type) {
        case kClass:
            add_class(value, up.radius.classes);
            break;
        case kInterim:
            up.radius.interim_s = value.u32();
            break;
        case kPrefix:
            add_prefix(value, up.radius.prefixes);
            break;
        case kTimeouts:
            up.facts.timeouts.session_s = value.u32();
            up.facts.timeouts.idle_s = value.u32();
            break;
        case kIpv6:
            up.facts.ipv6.emplace();
            up.facts.ipv6->ours = value.u64();
            up.facts.ipv6->theirs = value.u64();
            break;
        case kRoute:
            add_route(value, up.facts.routes);
            break;
        case kProxied:
            add_proxied(value, up.proxied);
            break;
        case kRate: {
            const auto attribute = static_cast<RateAttribute>(value.u8());
            // A value that is no rate, such as the name of a filter, is ignored.
            static_cast<void>(up.rate.take(attribute, value.rest()));
            break;
        }
        default:
            value.rest();
            break;
    }
}

// Reads all fields of a message, up to the one with the highest number; returns their types.
Result<std::bitset<kLastUpField + 1>> read_fields(ByteReader& reader, PluginSessionUp& up) {
    std::bitset<kLastUpField + 1> seen;
    while (reader.ok() && reader.remaining() > 0) {
        const std::uint16_t type = reader.u16();
        ByteReader value(reader.take_prefixed(limits::kPluginMessageBytesMax));
        if (!reader.ok()) {
            return fail(Errc::malformed, "a field is longer than its message");
        }
        if ((type & kOptionalBit) != 0) {
            read_optional_field(type, value, up);
        } else if (type == 0 || type > kLastUpField || seen[type]) {
            return fail(Errc::malformed, fmt::format("field {} is unknown or given twice", type));
        } else {
            seen.set(type);
            read_field(type, value, up);
        }
        if (!value.finished()) {
            return fail(Errc::malformed,
                        fmt::format("field {} has a wrong length", type & ~kOptionalBit));
        }
    }
    return seen;
}

Result<PluginMessage> parse_asks(ByteReader& reader) {
    PluginSessionUp fields;
    VPNHA_TRY(const auto seen, read_fields(reader, fields));
    if (seen.count() != 3 || !seen[kGateway] || !seen[kPid] || !seen[kUser] ||
        fields.gateway.empty() || fields.pid == 0) {
        return fail(Errc::malformed, "a request for an address names gateway, pid and user");
    }
    return PluginAsks{std::move(fields.gateway), fields.pid, std::move(fields.facts.user)};
}

Result<PluginMessage> parse_session_down(ByteReader& reader) {
    PluginSessionDown down;
    while (reader.ok() && reader.remaining() > 0) {
        const std::uint16_t type = reader.u16();
        ByteReader value(reader.take_prefixed(limits::kPluginMessageBytesMax));
        if (type == kCause) {
            const std::uint8_t cause = value.u8();
            down.cause = static_cast<EndCause>(cause);
            if (!value.finished() || cause == 0 || cause > kEndCauseMax) {
                return fail(Errc::malformed, "a session's end has no cause of RFC 2866");
            }
        } else if (type == kTraffic) {
            Traffic traffic;
            traffic.octets_in = value.u64();
            traffic.octets_out = value.u64();
            traffic.packets_in = value.u64();
            traffic.packets_out = value.u64();
            if (!value.finished()) {
                return fail(Errc::malformed, "counters have a wrong length");
            }
            down.traffic = traffic;
        }
    }
    if (!reader.ok()) {
        return fail(Errc::malformed, "a field is longer than its message");
    }
    return down;
}

Result<PluginMessage> parse_session_up(ByteReader& reader) {
    PluginSessionUp up;
    VPNHA_TRY(const auto seen, read_fields(reader, up));
    // A plugin of this version sends all fields, except number zero.
    if (seen.count() != kLastUpField) {
        return fail(Errc::malformed, "a field is missing");
    }
    if (up.pid == 0) {
        return fail(Errc::malformed, "a session has no pid");
    }
    VPNHA_CHECK(ppp::validate(up.facts));
    return up;
}

}  // namespace

Result<PluginMessage> parse_plugin_message(ByteView bytes) {
    if (bytes.size() > limits::kPluginMessageBytesMax) {
        return fail(Errc::malformed, "a message is too long");
    }
    ByteReader reader(bytes);
    const std::uint16_t version = reader.u16();
    const std::uint8_t type = reader.u8();
    const std::uint8_t zero = reader.u8();
    if (!reader.ok() || version != kVersion || zero != 0) {
        return fail(Errc::malformed,
                    fmt::format("a message has no header of version {}", kVersion));
    }
    if (type == kSessionUp) {
        return parse_session_up(reader);
    }
    if (type == kAsks) {
        return parse_asks(reader);
    }
    if (type == kSessionDown) {
        return parse_session_down(reader);
    }
    // Fields of later versions are not needed here.
    if (type == kExit) {
        return PluginExit{};
    }
    return fail(Errc::malformed, fmt::format("message type {} is unknown", type));
}

Bytes encode_plugin_verdict(std::string_view unprotected_reason) {
    ByteWriter writer;
    writer.u16(kVersion).u8(unprotected_reason.empty() ? kProtected : kUnprotected).u8(0);
    if (!unprotected_reason.empty()) {
        writer.u16(kReason).prefixed(unprotected_reason.substr(0, kReasonBytesMax));
    }
    return std::move(writer).take();
}

Bytes encode_plugin_address(Ipv4Address address) {
    ByteWriter writer;
    writer.u16(kVersion).u8(kGiven).u8(0);
    writer.u16(kAddress).u16(sizeof address.value).u32(address.value);
    return std::move(writer).take();
}

Bytes encode_plugin_refusal(std::string_view reason) {
    ByteWriter writer;
    writer.u16(kVersion).u8(kRefused).u8(0);
    writer.u16(kReason).prefixed(reason.substr(0, kReasonBytesMax));
    return std::move(writer).take();
}

Bytes encode_plugin_change(const ppp::Timeouts& timeouts, const std::optional<Rate>& rate) {
    ByteWriter writer;
    writer.u16(kVersion).u8(kChanged).u8(0);
    writer.u16(kTimeouts).u16(sizeof timeouts.session_s + sizeof timeouts.idle_s);
    writer.u32(timeouts.session_s).u32(timeouts.idle_s);
    if (rate) {
        const Bytes octets = encode_ordered_rate(*rate);
        writer.u16(kRate).u16(static_cast<std::uint16_t>(1 + octets.size()));
        writer.u8(static_cast<std::uint8_t>(RateAttribute::ordered)).bytes(octets);
    }
    return std::move(writer).take();
}

}  // namespace vpnha::adapters
