// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/internet_checksum.hpp"
#include "probe/ipv4_packet.hpp"
#include "probe/ppp_options.hpp"

namespace vpnha::probe {

namespace {

using ppp::Code;
using ppp::ControlPacket;
using ppp::Protocol;

constexpr auto kCcp = static_cast<Protocol>(0x80fd);  // RFC 1962
// Codes of PAP and CHAP, with numbers of their own (RFC 1334 2, RFC 1994 4).
constexpr std::uint8_t kPapRequest = 1;
constexpr std::uint8_t kPapAck = 2;
constexpr std::uint8_t kPapNak = 3;
constexpr std::uint8_t kChallenge = 1;
constexpr std::uint8_t kResponse = 2;
constexpr std::uint8_t kSuccess = 3;
constexpr std::uint8_t kFailure = 4;
constexpr std::uint8_t kMd5 = 5;
constexpr std::uint8_t kMsChapV2 = 0x81;

// Options of LCP that make no difference for a sender of few and short packets (RFC 1661 6, RFC
// 1662 7.1).
constexpr std::array<std::uint8_t, 5> kHarmless{1, 2, 5, 7, 8};
constexpr std::uint8_t kAuthentication = 3;
constexpr std::uint8_t kIpAddress = 3;  // Of IPCP (RFC 1332 3.3).
constexpr std::size_t kIpAddressBytes = 6;
// A server that keeps naming other addresses has none.
constexpr int kNaksMax = 5;
// The part of a packet that a rejection returns.
constexpr std::size_t kRejectedBytesMax = 128;
constexpr std::size_t kTextBytesMax = 80;
constexpr std::size_t kHeaderBytes = 4;  // Of a control packet.

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::size_t kIcmpChecksumOffset = 2;
constexpr std::array<std::uint8_t, 32> kPingData{'v', 'p', 'n', 'h', 'a', '-',
                                                 'p', 'r', 'o', 'b', 'e'};

void append(Bytes& bytes, ByteView more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Code code_of(std::uint8_t value) {
    return static_cast<Code>(value);
}

// The server's own text, for a report.
std::string readable(ByteView octets) {
    std::string text = to_text(octets.first(std::min(octets.size(), kTextBytesMax)));
    std::ranges::replace_if(
        text, [](unsigned char each) { return std::isprint(each) == 0; }, '?');
    return text.empty() ? text : fmt::format(" ({})", text);
}

Error refused(std::string what) {
    return {Errc::unreachable, std::move(what)};
}

bool is_supported(Protocol protocol, std::uint8_t algorithm) {
    return protocol == Protocol::pap ||
           (protocol == Protocol::chap && (algorithm == kMd5 || algorithm == kMsChapV2));
}

Bytes encode_ping(Ipv4Address from, Ipv4Address to, std::uint16_t id) {
    ByteWriter icmp;
    icmp.u8(kEchoRequest).u8(0).u16(0).u16(id).u16(1).bytes(kPingData);
    icmp.patch_u16(kIcmpChecksumOffset, internet_checksum(0, icmp.view()));
    ByteWriter frame;
    frame.u16(static_cast<std::uint16_t>(Protocol::ip));
    frame.bytes(encode_ipv4(kIcmp, from, to, id, icmp.view()));
    return std::move(frame).take();
}

}  // namespace

PppLogin::PppLogin(PppAccount account, const PppNumbers& numbers, Ipv4Address target)
    : account_(std::move(account)), numbers_(numbers), target_(target) {}

void PppLogin::ask() {
    if (step_ == Step::lcp && !lcp_.has_ours && request_.empty()) {
        lcp_.id = ++last_id_;
        request_ = ppp::encode_control_frame(Protocol::lcp, {Code::configure_request, lcp_.id, {}});
    } else if (step_ == Step::login && is_logged_in_) {
        begin(Step::address);
    } else if (step_ == Step::ping) {
        ping();
    }
}

void PppLogin::begin(Step step) {
    step_ = step;
    request_.clear();
    if (step == Step::login && login_.protocol == Protocol{}) {
        begin(Step::address);
    } else if (step == Step::login && login_.protocol == Protocol::pap) {
        ByteWriter data;
        data.u8(static_cast<std::uint8_t>(account_.name.size())).bytes(to_bytes(account_.name));
        data.u8(static_cast<std::uint8_t>(account_.secret.view().size()));
        data.bytes(account_.secret.view());
        request_ = ppp::encode_control_frame(Protocol::pap,
                                             {code_of(kPapRequest), ++last_id_, data.view()});
    } else if (step == Step::encryption) {
        ask_for_encryption();
    } else if (step == Step::address) {
        ask_for_address();
    } else if (step == Step::ping) {
        ping();
    } else if (step == Step::hang_up) {
        request_ =
            ppp::encode_control_frame(Protocol::lcp, {Code::terminate_request, ++last_id_, {}});
    }
}

void PppLogin::ask_for_encryption() {
    ccp_.id = ++last_id_;
    request_ =
        ppp::encode_control_frame(kCcp, {Code::configure_request, ccp_.id, encryption_.wish()});
}

void PppLogin::ping() {
    request_ = encode_ping(address_, target_, numbers_.ping);
    if (encryption_.is_on()) {
        request_ = encryption_.seal(request_);
    }
}

void PppLogin::ask_for_address() {
    ipcp_.id = ++last_id_;
    ByteWriter option;
    option.u8(kIpAddress).u8(kIpAddressBytes).u32(address_.value);
    request_ = ppp::encode_control_frame(Protocol::ipcp,
                                         {Code::configure_request, ipcp_.id, option.view()});
}

void PppLogin::answer(Protocol protocol, const ControlPacket& packet) {
    answers_.push_back(ppp::encode_control_frame(protocol, packet));
}

Result<void> PppLogin::on_frame(ByteView frame) {
    ByteReader reader(frame);
    if (frame.size() >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
        reader.u16();  // Address and control, of HDLC.
    }
    // One octet if the server compresses it (RFC 1661 6.5).
    std::uint16_t number = reader.u8();
    if ((number & 1) == 0) {
        number = static_cast<std::uint16_t>(number << 8 | reader.u8());
    }
    const ByteView rest = reader.rest();
    if (!reader.ok()) {
        return {};
    }
    const auto protocol = static_cast<Protocol>(number);
    if (protocol == Protocol::ip) {
        on_ip(rest);
        return {};
    }
    if (protocol == Protocol::compressed && encryption_.is_on()) {
        if (const auto packet = encryption_.open(rest)) {
            on_ip(*packet);
        }
        return {};
    }
    const auto packet = ppp::parse_control_packet(rest);
    if (!packet) {
        return {};
    }
    if (protocol == kCcp) {
        return on_ccp(*packet);
    }
    switch (protocol) {
        case Protocol::lcp:
            return on_lcp(*packet);
        case Protocol::pap:
        case Protocol::chap:
            return on_login(protocol, *packet);
        case Protocol::ipcp:
            return on_ipcp(*packet);
        default:
            break;
    }
    reject(protocol, rest);
    return {};
}

void PppLogin::reject(Protocol protocol, ByteView packet) {
    ByteWriter rejected;
    rejected.u16(static_cast<std::uint16_t>(protocol));
    rejected.bytes(packet.first(std::min(packet.size(), kRejectedBytesMax)));
    answer(Protocol::lcp, {Code::protocol_reject, ++last_id_, rejected.view()});
}

bool PppLogin::answer_request(Protocol protocol, const ControlPacket& packet, const Bytes& naks,
                              const Bytes& rejects, Negotiation& negotiation) {
    if (!rejects.empty()) {
        answer(protocol, {Code::configure_reject, packet.id, rejects});
    } else if (!naks.empty()) {
        answer(protocol, {Code::configure_nak, packet.id, naks});
    } else {
        answer(protocol, {Code::configure_ack, packet.id, packet.data});
        negotiation.has_theirs = true;
        return true;
    }
    return false;
}

Result<void> PppLogin::on_lcp(const ControlPacket& packet) {
    switch (packet.code) {
        case Code::configure_request:
            on_lcp_request(packet);
            break;
        case Code::configure_ack:
            lcp_.has_ours = lcp_.has_ours || packet.id == lcp_.id;
            break;
        case Code::terminate_request:
            answer(Protocol::lcp, {Code::terminate_ack, packet.id, {}});
            return hangs_up(packet);
        case Code::terminate_ack:
            if (step_ == Step::hang_up) {
                begin(Step::over);
            }
            break;
        case Code::protocol_reject:
            if (ByteReader(packet.data).u16() == static_cast<std::uint16_t>(Protocol::ipcp)) {
                return tl::unexpected(refused("has no IPv4 for clients"));
            }
            break;
        case Code::echo_request: {
            constexpr std::array<std::uint8_t, 4> kNoMagic{};
            answer(Protocol::lcp, {Code::echo_reply, packet.id, kNoMagic});
            break;
        }
        default:
            break;
    }
    if (step_ == Step::lcp && lcp_.has_ours) {
        request_.clear();
    }
    if (step_ == Step::lcp && lcp_.is_over()) {
        begin(Step::login);
    }
    return {};
}

void PppLogin::on_lcp_request(const ControlPacket& packet) {
    const auto options = parse_ppp_options(packet.data);
    if (!options) {
        return;
    }
    Bytes naks;
    Bytes rejects;
    Login login;
    for (const PppOption& each : *options) {
        ByteReader value(each.value);
        if (each.type == kAuthentication) {
            const auto protocol = static_cast<Protocol>(value.u16());
            const std::uint8_t algorithm = value.remaining() != 0 ? value.u8() : std::uint8_t{0};
            if (is_supported(protocol, algorithm)) {
                login = {protocol, algorithm};
            } else {
                constexpr std::array<std::uint8_t, 5> kMsChapV2Please{kAuthentication, 5, 0xc2,
                                                                      0x23, kMsChapV2};
                append(naks, kMsChapV2Please);
            }
        } else if (std::ranges::find(kHarmless, each.type) == kHarmless.end()) {
            append(rejects, each.whole);
        }
    }
    const bool is_taken = answer_request(Protocol::lcp, packet, naks, rejects, lcp_);
    login_ = is_taken ? login : login_;
    if (step_ == Step::lcp) {
        ask();
    } else if (is_taken && step_ != Step::hang_up) {
        // The server took a copy of our request for a new one (RFC 1661 4.3), and confirms it.
        ipcp_ = {};
        ccp_ = {};
        encryption_.forget();
        is_logged_in_ = false;
        begin(Step::login);
    }
}

Result<void> PppLogin::on_login(Protocol protocol, const ControlPacket& packet) {
    if (step_ != Step::login || protocol != login_.protocol) {
        return {};
    }
    const auto code = static_cast<std::uint8_t>(packet.code);
    const bool is_pap = protocol == Protocol::pap;
    if (!is_pap && code == kChallenge) {
        on_chap_challenge(packet);
    } else if (code == (is_pap ? kPapAck : kSuccess)) {
        is_logged_in_ = true;
        request_.clear();
        if (!encryption_.has_keys()) {
            begin(Step::address);
        }
    } else if (code == (is_pap ? kPapNak : kFailure)) {
        // In PAP the text's length precedes it.
        const std::size_t skipped = is_pap && !packet.data.empty() ? 1 : 0;
        return tl::unexpected(refused(fmt::format("refuses the login of '{}'{}", account_.name,
                                                  readable(packet.data.subspan(skipped)))));
    }
    return {};
}

void PppLogin::on_chap_challenge(const ControlPacket& packet) {
    ByteReader reader(packet.data);
    const ByteView challenge = reader.take(reader.u8());
    MsChallenge of_ms{};
    const bool is_ms = login_.algorithm == kMsChapV2;
    if (!reader.ok() || challenge.empty() || (is_ms && challenge.size() != of_ms.size())) {
        return;
    }
    std::ranges::copy(challenge.first(std::min(challenge.size(), of_ms.size())), of_ms.begin());
    const Bytes value = is_ms ? answer_ms_chap_v2(account_, of_ms, numbers_.challenge)
                              : answer_md5(account_, packet.id, challenge);
    if (is_ms) {
        encryption_.set_keys(mppe_keys_of(account_, value));
    }
    ByteWriter data;
    data.u8(static_cast<std::uint8_t>(value.size())).bytes(value).bytes(to_bytes(account_.name));
    request_ =
        ppp::encode_control_frame(Protocol::chap, {code_of(kResponse), packet.id, data.view()});
}

Result<void> PppLogin::on_ccp(const ControlPacket& packet) {
    const bool is_of_ours = step_ == Step::encryption && packet.id == ccp_.id;
    switch (packet.code) {
        case Code::configure_request:
            on_ccp_request(packet);
            break;
        case Code::configure_ack:
            ccp_.has_ours = ccp_.has_ours || is_of_ours;
            break;
        case Code::configure_nak:
            if (is_of_ours) {
                if (!encryption_.take_nak(packet.data) || ++naks_ > kNaksMax) {
                    return tl::unexpected(refused("agrees on no encryption"));
                }
                ccp_.has_theirs = false;  // It was for another strength.
                ask_for_encryption();
            }
            break;
        case Code::configure_reject:
        case Code::terminate_request:
            if (step_ == Step::encryption) {
                return tl::unexpected(refused("agrees on no encryption"));
            }
            break;
        default:
            break;
    }
    if (step_ == Step::encryption && ccp_.has_ours) {
        request_.clear();
    }
    if (step_ == Step::encryption && ccp_.is_over()) {
        encryption_.begin();
        begin(Step::address);
    }
    return {};
}

void PppLogin::on_ccp_request(const ControlPacket& packet) {
    const bool is_first = step_ == Step::login && is_logged_in_;
    const bool is_in_time = is_first || step_ == Step::encryption || encryption_.is_on();
    const auto answered = is_in_time ? encryption_.answer(packet.data) : std::nullopt;
    if (!answered) {
        ByteWriter whole;
        whole.u8(static_cast<std::uint8_t>(packet.code)).u8(packet.id);
        whole.u16(static_cast<std::uint16_t>(kHeaderBytes + packet.data.size())).bytes(packet.data);
        reject(kCcp, whole.view());
        return;
    }
    answer(kCcp, {answered->code, packet.id, answered->options});
    if (is_first) {
        begin(Step::encryption);
    }
    ccp_.has_theirs = ccp_.has_theirs || answered->code == Code::configure_ack;
}

Result<void> PppLogin::on_ipcp(const ControlPacket& packet) {
    const bool is_of_ours = step_ == Step::address && packet.id == ipcp_.id;
    switch (packet.code) {
        case Code::configure_request:
            on_ipcp_request(packet);
            break;
        case Code::configure_ack:
            if (is_of_ours && address_ == Ipv4Address{}) {
                return tl::unexpected(refused("gives no address"));
            }
            ipcp_.has_ours = ipcp_.has_ours || is_of_ours;
            break;
        case Code::configure_nak:
            if (is_of_ours) {
                VPNHA_CHECK(on_address(packet.data));
            }
            break;
        case Code::configure_reject:
            if (is_of_ours) {
                return tl::unexpected(refused("gives no address"));
            }
            break;
        case Code::terminate_request:
            return tl::unexpected(refused("gives no address: it ends IPCP"));
        default:
            break;
    }
    if (step_ == Step::address && ipcp_.has_ours) {
        request_.clear();
    }
    if (step_ == Step::address && ipcp_.is_over()) {
        target_ = target_ == Ipv4Address{} ? server_ : target_;
        begin(Step::ping);
    }
    return {};
}

void PppLogin::on_ipcp_request(const ControlPacket& packet) {
    const auto options = parse_ppp_options(packet.data);
    if (!options) {
        return;
    }
    if (step_ == Step::login && is_logged_in_) {
        begin(Step::address);  // Without an encryption.
    }
    Bytes rejects;
    for (const PppOption& each : *options) {
        if (each.type == kIpAddress && each.whole.size() == kIpAddressBytes) {
            server_ = Ipv4Address{ByteReader(each.value).u32()};
        } else {
            append(rejects, each.whole);
        }
    }
    static_cast<void>(answer_request(Protocol::ipcp, packet, {}, rejects, ipcp_));
}

Result<void> PppLogin::on_address(ByteView options) {
    for (const PppOption& each : parse_ppp_options(options).value_or(std::vector<PppOption>{})) {
        if (each.type == kIpAddress && each.whole.size() == kIpAddressBytes) {
            address_ = Ipv4Address{ByteReader(each.value).u32()};
        }
    }
    if (address_ == Ipv4Address{} || ++naks_ > kNaksMax) {
        return tl::unexpected(refused("gives no address"));
    }
    ask_for_address();
    return {};
}

void PppLogin::on_ip(ByteView packet) {
    ByteReader reader(packet);
    const std::size_t header = (reader.u8() & 0x0fU) * 4U;
    reader.take(8);
    const std::uint8_t protocol = reader.u8();
    reader.u16();
    const Ipv4Address from{reader.u32()};
    const Ipv4Address to{reader.u32()};
    if (!reader.ok() || packet[0] >> 4 != 4 || header < kIpHeaderBytes || header > packet.size()) {
        return;
    }
    ByteReader icmp(packet.subspan(header));
    const std::uint8_t type = icmp.u8();
    icmp.take(3);
    const std::uint16_t id = icmp.u16();
    if (step_ == Step::ping && icmp.ok() && protocol == kIcmp && type == kEchoReply &&
        from == target_ && to == address_ && id == numbers_.ping) {
        begin(Step::hang_up);
    }
}

Result<void> PppLogin::hangs_up(const ControlPacket& packet) {
    if (step_ == Step::hang_up || step_ == Step::over) {
        begin(Step::over);
        return {};
    }
    return tl::unexpected(
        refused(fmt::format("hangs up at '{}'{}", to_string(step_), readable(packet.data))));
}

std::string_view to_string(PppLogin::Step step) {
    switch (step) {
        case PppLogin::Step::lcp:
            return "lcp";
        case PppLogin::Step::login:
            return "login";
        case PppLogin::Step::encryption:
            return "encryption";
        case PppLogin::Step::address:
            return "address";
        case PppLogin::Step::ping:
            return "ping";
        case PppLogin::Step::hang_up:
        case PppLogin::Step::over:
            break;
    }
    return "hang_up";
}

}  // namespace vpnha::probe
