// SPDX-License-Identifier: GPL-2.0-or-later
// GRE and PPP of a resumed call.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "mppe/inner_packet.hpp"
#include "pptp/resumed_call.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

constexpr Duration kAcknowledgeWait = 20ms;

constexpr std::uint16_t kMppeFrame = 0x00fd;
constexpr std::uint16_t kCcp = 0x80fd;
constexpr std::uint8_t kAllStations = 0xff;  // RFC 1662 3.1
constexpr std::uint8_t kUnnumbered = 0x03;
constexpr std::uint16_t kIpv4Protocol = 0x0021;
constexpr std::size_t kProtocolOctets = 2;

// RFC 1962 3
constexpr auto kResetRequest = static_cast<ppp::Code>(14);
constexpr auto kResetAck = static_cast<ppp::Code>(15);
// A peer asks each second; what was on its way meanwhile is asked about once.
constexpr Duration kResetPause = 500ms;
constexpr std::uint64_t kResetLead = 1024;
// Encrypted packets in a row that cannot be opened. Nothing else would end such a call: its echoes
// are not encrypted.
constexpr int kUnopenedMax = 200;

// The frame without address and control field, its protocol number of two octets apart.
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
    known_.never_acknowledges = known_.never_acknowledges && !packet->acknowledged;
    if (ladder_) {
        ladder_->on_heard(packet->acknowledged, now);
    }
    if (packet->sequence) {
        if (!window_.take(*packet->sequence)) {
            ++counters_->duplicates;
            return;
        }
        must_acknowledge_ = true;
        if (!acknowledge_at_) {
            acknowledge_at_ = now + kAcknowledgeWait;
        }
        on_frame(packet->payload, *packet->sequence, now, out);
    }
    climb(now, out);
}

void ResumedCall::on_frame(ByteView frame, std::uint32_t number, TimePoint now, CallOutput& out) {
    const auto protocol = take_protocol(frame);
    if (!protocol) {
        ++counters_->malformed;
        return;
    }
    switch (*protocol) {
        case kMppeFrame:
            on_encrypted(frame, number, now, out);
            return;
        case kIpv4Protocol:
            on_clear(frame, out);
            return;
        case kCcp:
            if (sender_) {
                on_ccp(frame, now, out);
                return;
            }
            break;
        default:
            break;
    }
    ByteWriter whole;
    whole.u16(*protocol).bytes(frame);
    if (*protocol == static_cast<std::uint16_t>(ppp::Protocol::lcp)) {
        on_lcp_reply(frame, now);
    }
    take(link_.on_frame(whole.view(), now), out);
}

void ResumedCall::on_lcp_reply(ByteView frame, TimePoint now) {
    const Result<ppp::ControlPacket> packet = ppp::parse_control_packet(frame);
    if (ladder_ && packet && packet->code == ppp::Code::echo_reply) {
        ladder_->on_echo_reply(packet->id, now);
    }
}

void ResumedCall::on_encrypted(ByteView frame, std::uint32_t number, TimePoint now,
                               CallOutput& out) {
    if (!receiver_) {
        ++counters_->malformed;
        return;
    }
    plain_.resize(frame.size());
    if (const auto packet = receiver_->open(frame, number, now, plain_.data())) {
        unopened_ = 0;
        link_.on_traffic();
        out.deliver(*packet);
    } else if (++unopened_ == kUnopenedMax) {
        end("peer's MPPE cannot be followed", EndCause::nas_error, out);
    }
}

void ResumedCall::on_clear(ByteView packet, CallOutput& out) {
    if (receiver_) {
        ++counters_->in_clear;
    } else if (mppe::is_ipv4(packet)) {
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
    // Two leads without a packet between them are more than a peer takes.
    if (state_ == State::running && sender_->index() != reset_index_) {
        reset_index_ = sender_->index() + kResetLead;
        sender_->skip_to(reset_index_);
    }
}

void ResumedCall::take(ppp::LinkKeeper::Effects effects, CallOutput& out) {
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
    if (!takes_packets() || !mppe::is_ipv4(packet) || packet.size() > record_.mtu) {
        return;
    }
    ByteWriter head;
    head.u16(kPppAddressControl).u16(sender_ ? kMppeFrame : kIpv4Protocol);
    out_.resize(kGreHeaderBytesMax);
    out_.insert(out_.end(), head.view().begin(), head.view().end());
    if (!sender_) {
        out_.insert(out_.end(), packet.begin(), packet.end());
    } else {
        plain_.resize(kProtocolOctets);
        plain_[0] = static_cast<std::uint8_t>(kIpv4Protocol >> 8);
        plain_[1] = static_cast<std::uint8_t>(kIpv4Protocol);
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
