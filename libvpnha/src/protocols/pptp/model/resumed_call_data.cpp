// SPDX-License-Identifier: GPL-2.0-or-later
// GRE and PPP of a resumed call.
#include <fmt/format.h>

#include <algorithm>

#include "base/accounting.hpp"
#include "protocols/pptp/model/limits.hpp"
#include "protocols/pptp/model/resumed_call.hpp"
#include "protocols/pptp/mppe/inner_packet.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

constexpr Duration kAcknowledgeWait = 20ms;

constexpr std::uint16_t kMppeFrame = 0x00fd;
constexpr std::uint16_t kCcp = 0x80fd;
constexpr std::uint8_t kAllStations = 0xff;  // RFC 1662 3.1
constexpr std::uint8_t kUnnumbered = 0x03;
constexpr auto kIpv4Protocol = static_cast<std::uint16_t>(ppp::Protocol::ip);
constexpr auto kIpv6Protocol = static_cast<std::uint16_t>(ppp::Protocol::ipv6);
constexpr std::size_t kProtocolOctets = 2;

// RFC 1962 3
constexpr auto kResetRequest = static_cast<ppp::Code>(14);
constexpr auto kResetAck = static_cast<ppp::Code>(15);
// A peer repeats it each second; requests that were under way are one request.
constexpr Duration kResetPause = 500ms;
constexpr std::uint64_t kResetLead = 1024;
// Encrypted packets in a row that cannot be opened. Nothing else would end such a call, as its
// echoes are not encrypted. Forged packets among the peer's do not.
constexpr int kUnopenedMax = 200;
constexpr Duration kUnopenedFor = 5s;

// The frame without address and control field; its protocol number of two octets is returned.
std::optional<std::uint16_t> take_protocol(ByteView& frame) {
    if (frame.size() > 2 && frame[0] == kAllStations && frame[1] == kUnnumbered) {
        frame = frame.subspan(2);
    }
    ByteReader reader(frame);
    std::uint16_t protocol = reader.u8();
    if (protocol % 2 == 0) {
        protocol = static_cast<std::uint16_t>(protocol << 8 | reader.u8());
    }
    if (!reader.ok()) {
        return std::nullopt;
    }
    frame = reader.rest();
    return protocol;
}

// An echo or its reply is handled, whoever sent it.
bool is_echo(std::uint16_t protocol, ByteView frame) {
    if (protocol != static_cast<std::uint16_t>(ppp::Protocol::lcp) || frame.empty()) {
        return false;
    }
    const auto code = static_cast<ppp::Code>(frame[0]);
    return code == ppp::Code::echo_request || code == ppp::Code::echo_reply;
}

}  // namespace

void ResumedCall::on_gre(ByteView bytes, TimePoint now, CallOutput& out) {
    if (state_ != State::resuming && state_ != State::running) {
        return;
    }
    const Result<GrePacket> packet = parse_gre(bytes);
    if (!packet || packet->call != record_.key.id) {
        ++counters_->malformed;
        return;
    }
    if (packet->sequence) {
        on_frame(*packet, now, out);
    } else if (packet->acknowledged && is_near_what_was_sent(*packet->acknowledged)) {
        heed(*packet, false, now);
    }
    climb(now, out);
}

bool ResumedCall::is_near_what_was_sent(std::uint32_t acknowledged) const {
    const std::int32_t ahead = ahead_of(acknowledged, ladder_ ? known_.gre_out : next_number_ - 1);
    constexpr auto kNear = static_cast<std::int32_t>(limits::kPptpPacketsMissedMax);
    return ahead > -kNear && ahead <= (ladder_ ? 2 * kNear : 0);
}

void ResumedCall::heed(const GrePacket& packet, bool is_proven, TimePoint now) {
    const bool acknowledges =
        packet.acknowledged && (is_proven || is_near_what_was_sent(*packet.acknowledged));
    known_.never_acknowledges = known_.never_acknowledges && !acknowledges;
    if (ladder_) {
        ladder_->on_received(packet.sequence, acknowledges ? packet.acknowledged : std::nullopt,
                             is_proven, now);
    }
    if (packet.sequence) {
        must_acknowledge_ = true;
        acknowledge_at_ = acknowledge_at_.value_or(now + kAcknowledgeWait);
    }
}

bool ResumedCall::take_number(std::uint32_t number) {
    switch (window_.take(number)) {
        case GreWindow::Verdict::taken:
            return true;
        case GreWindow::Verdict::seen:
            return false;
        case GreWindow::Verdict::far:
            break;
    }
    if (receiver_ || number - 1 != std::exchange(far_number_, number)) {
        return false;
    }
    window_.prove(number);
    return true;
}

void ResumedCall::on_frame(const GrePacket& packet, TimePoint now, CallOutput& out) {
    ByteView frame = packet.payload;
    const auto protocol = take_protocol(frame);
    if (!protocol || (*protocol == kMppeFrame && !receiver_)) {
        ++counters_->malformed;
    } else if (*protocol == kMppeFrame) {
        on_encrypted(packet, frame, now, out);
    } else {
        on_unencrypted(packet, *protocol, frame, now, out);
    }
}

void ResumedCall::on_encrypted(const GrePacket& packet, ByteView frame, TimePoint now,
                               CallOutput& out) {
    plain_.resize(frame.size());
    const auto opened = receiver_->open(frame, *packet.sequence, now, plain_.data());
    if (!opened) {
        on_unopened(*packet.sequence, now, out);
        return;
    }
    unopened_.count = 0;
    window_.prove(*packet.sequence);
    heed(packet, true, now);
    link_.on_traffic();
    out.deliver(*opened);
}

void ResumedCall::on_unopened(std::uint32_t number, TimePoint now, CallOutput& out) {
    const bool is_in_sequence = number - 1 == std::exchange(unopened_.last, number);
    if (!is_in_sequence && !receiver_->is_plausible(number)) {
        return;
    }
    if (unopened_.count++ == 0) {
        unopened_.since = now;
    }
    if (unopened_.count >= kUnopenedMax && now - unopened_.since >= kUnopenedFor) {
        end("peer's MPPE cannot be followed", EndCause::nas_error, out);
    }
}

void ResumedCall::on_unencrypted(const GrePacket& packet, std::uint16_t protocol, ByteView frame,
                                 TimePoint now, CallOutput& out) {
    if (!take_number(*packet.sequence)) {
        ++counters_->duplicates;
        if (is_echo(protocol, frame)) {
            on_link_frame(protocol, frame, now, out);
        }
        return;
    }
    if (receiver_) {
        receiver_->pass(*packet.sequence);
    }
    heed(packet, !receiver_, now);
    if (protocol == kIpv4Protocol || (protocol == kIpv6Protocol && record_.facts.ipv6)) {
        on_clear(protocol, frame, out);
    } else if (protocol == kCcp && sender_) {
        on_ccp(frame, now, out);
    } else {
        if (protocol == static_cast<std::uint16_t>(ppp::Protocol::lcp)) {
            on_lcp_reply(*packet.sequence, frame, now);
        }
        on_link_frame(protocol, frame, now, out);
    }
}

void ResumedCall::on_link_frame(std::uint16_t protocol, ByteView frame, TimePoint now,
                                CallOutput& out) {
    ByteWriter whole;
    whole.u16(protocol).bytes(frame);
    take(link_.on_frame(whole.view(), now), out);
}

void ResumedCall::on_lcp_reply(std::uint32_t number, ByteView frame, TimePoint now) {
    const Result<ppp::ControlPacket> packet = ppp::parse_control_packet(frame);
    if (ladder_ && packet && packet->code == ppp::Code::echo_reply) {
        ladder_->on_echo_reply(number, packet->id, now);
    }
}

std::optional<std::uint16_t> ResumedCall::protocol_of(ByteView packet) const {
    if (mppe::is_ipv4(packet)) {
        return kIpv4Protocol;
    }
    return record_.facts.ipv6 && mppe::is_ipv6(packet) ? std::optional(kIpv6Protocol)
                                                       : std::nullopt;
}

void ResumedCall::on_clear(std::uint16_t protocol, ByteView packet, CallOutput& out) {
    if (receiver_) {
        ++counters_->in_clear;
    } else if (protocol_of(packet) == protocol) {
        link_.on_traffic();
        out.deliver(packet);
    } else {
        ++counters_->malformed;
    }
}

void ResumedCall::on_ccp(ByteView bytes, TimePoint now, CallOutput& out) {
    const Result<ppp::ControlPacket> packet = ppp::parse_control_packet(bytes);
    if (!packet) {
        ++counters_->malformed;
        return;
    }
    if (packet->code == ppp::Code::configure_request ||
        packet->code == ppp::Code::terminate_request) {
        take(link_.close("peer wants to negotiate CCP anew"), out);
        return;
    }
    if (packet->code != kResetRequest) {
        return;
    }
    ++counters_->resets;
    if (reset_at_ && now - *reset_at_ < kResetPause) {
        return;
    }
    reset_at_ = now;
    send_frame(ppp::encode_control_frame(static_cast<ppp::Protocol>(kCcp),
                                         {.code = kResetAck, .id = packet->id, .data = {}}),
               out);
    // A peer does not accept two leads without a packet between them.
    if (state_ == State::running && sender_->index() != reset_index_) {
        reset_index_ = sender_->index() + kResetLead;
        sender_->skip_to(reset_index_);
        // A successor without a later record counts GRE numbers: they have to cover the indexes.
        next_number_ += kResetLead;
    }
}

void ResumedCall::take(ppp::LinkEndpoint::Effects effects, CallOutput& out) {
    for (const Bytes& frame : effects.frames) {
        send_frame(frame, out);
    }
    if (effects.end_reason) {
        end(*effects.end_reason, effects.cause, out);
    }
}

void ResumedCall::send_frame(ByteView frame, CallOutput& out) {
    if (state_ == State::resuming) {
        // Its number would be taken for one of the ladder's.
        if (held_back_.size() < limits::kPptpHeldBackMax) {
            held_back_.emplace_back(frame.begin(), frame.end());
        }
        return;
    }
    ByteWriter payload;
    payload.u16(kPppAddressControl).bytes(frame);
    out_.resize(kGreHeaderBytesMax);
    out_.insert(out_.end(), payload.view().begin(), payload.view().end());
    send_gre(next_number_++, payload.size(), out);
}

void ResumedCall::on_packet(ByteView packet, CallOutput& out) {
    const std::optional<std::uint16_t> protocol = protocol_of(packet);
    if (!takes_packets() || !protocol || packet.size() > record_.facts.mtu) {
        return;
    }
    ByteWriter head;
    head.u16(kPppAddressControl).u16(sender_ ? kMppeFrame : *protocol);
    out_.resize(kGreHeaderBytesMax);
    out_.insert(out_.end(), head.view().begin(), head.view().end());
    if (!sender_) {
        out_.insert(out_.end(), packet.begin(), packet.end());
    } else {
        plain_.resize(kProtocolOctets);
        plain_[0] = static_cast<std::uint8_t>(*protocol >> 8);
        plain_[1] = static_cast<std::uint8_t>(*protocol);
        plain_.insert(plain_.end(), packet.begin(), packet.end());
        const std::size_t begin = out_.size();
        out_.resize(begin + mppe::kHeaderBytes + plain_.size());
        sender_->seal(plain_, out_.data() + begin);
    }
    send_gre(next_number_++, out_.size() - kGreHeaderBytesMax, out);
}

void ResumedCall::send_gre(std::uint32_t number, std::size_t size, CallOutput& out) {
    const auto acknowledged = must_acknowledge_ ? std::optional(window_.last()) : std::nullopt;
    const auto header = encode_gre_header(record_.key.peer_id, number, acknowledged, size);
    must_acknowledge_ = false;
    acknowledge_at_.reset();
    const std::size_t begin = kGreHeaderBytesMax - header.size();
    std::ranges::copy(header.view(), out_.begin() + static_cast<std::ptrdiff_t>(begin));
    out.send(ByteView(out_).subspan(begin, header.size() + size));
}

void ResumedCall::send_acknowledgement(CallOutput& out) {
    const auto header = encode_gre_header(record_.key.peer_id, std::nullopt, window_.last(), 0);
    must_acknowledge_ = false;
    acknowledge_at_.reset();
    out.send(header.view());
}

}  // namespace vpnha::pptp
