// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/link_endpoint.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::ppp {

namespace {

constexpr std::size_t kMagicBytes = 4;
// Protocol, code, identifier and length of a frame that carries a rejected packet.
constexpr std::size_t kFrameHeaderBytes = 6;

// No echo has it: a Discard-Request has no answer.
constexpr std::uint8_t kGreetingId = 0;

// The room after a frame's header for this peer.
std::size_t data_room(const LinkOptions& theirs) {
    const std::size_t mru = std::max(theirs.mru, kMruMin);
    return std::min(mru, limits::kPppFrameBytesMax) - kFrameHeaderBytes;
}

}  // namespace

LinkSettings link_settings(const SessionFacts& facts) {
    return {.ours = facts.ours,
            .theirs = facts.theirs,
            .echo_interval = std::chrono::seconds(facts.echo_interval_s),
            .echo_failures = facts.echo_failures,
            .echo_is_adaptive = facts.echo_is_adaptive,
            .ipv6 = facts.ipv6.has_value()};
}

void LinkEndpoint::start(TimePoint now) {
    if (settings_.echo_interval > Duration::zero()) {
        next_echo_ = now + settings_.echo_interval;
    }
}

LinkEndpoint::Effects LinkEndpoint::greet() {
    Effects effects;
    if (open_) {
        send_with_magic(Code::discard_request, kGreetingId, effects);
    }
    return effects;
}

LinkEndpoint::Effects LinkEndpoint::on_frame(ByteView frame, TimePoint now) {
    Effects effects;
    ByteReader reader(frame);
    const auto protocol = static_cast<Protocol>(reader.u16());
    if (!reader.ok() || frame.size() > limits::kPppFrameBytesMax) {
        ++counters_->malformed;
        return effects;
    }
    if (!open_) {
        return effects;
    }
    switch (protocol) {
        case Protocol::lcp:
            on_lcp(reader.rest(), now, effects);
            break;
        case Protocol::ipcp:
            on_network_control(protocol, reader.rest(), effects);
            break;
        case Protocol::ipv6cp:
        case Protocol::ipv6:
            if (!settings_.ipv6) {
                reject(Code::protocol_reject, frame, now, effects);
            } else if (protocol == Protocol::ipv6cp) {
                on_network_control(protocol, reader.rest(), effects);
            } else {
                ++counters_->unexpected;
            }
            break;
        case Protocol::ip:
        case Protocol::pap:
        case Protocol::chap:
        case Protocol::eap:
            ++counters_->unexpected;
            break;
        default:
            reject(Code::protocol_reject, frame, now, effects);
            break;
    }
    return effects;
}

void LinkEndpoint::on_lcp(ByteView bytes, TimePoint now, Effects& effects) {
    const Result<ControlPacket> packet = parse_control_packet(bytes);
    if (!packet) {
        ++counters_->malformed;
        return;
    }
    switch (packet->code) {
        case Code::echo_request:
            on_echo_request(*packet, effects);
            break;
        case Code::echo_reply:
            on_echo_reply(*packet, now);
            break;
        case Code::terminate_request:
            effects.frames.push_back(encode_control_frame(
                Protocol::lcp, {.code = Code::terminate_ack, .id = packet->id, .data = {}}));
            end("peer sent LCP Terminate-Request", EndCause::user_request, effects);
            break;
        case Code::terminate_ack:
            end("peer sent LCP Terminate-Ack", EndCause::lost_carrier, effects);
            break;
        case Code::configure_request:
            terminate("peer wants to negotiate LCP anew", EndCause::nas_request, effects);
            break;
        case Code::code_reject:
            if (!packet->data.empty() &&
                static_cast<Code>(packet->data.front()) == Code::echo_request) {
                next_echo_.reset();
            } else {
                ++counters_->unexpected;
            }
            break;
        case Code::configure_ack:
        case Code::configure_nak:
        case Code::configure_reject:
            ++counters_->unexpected;
            break;
        case Code::protocol_reject:
            on_protocol_reject(*packet, now, effects);
            break;
        case Code::discard_request:
        case Code::identification:
        case Code::time_remaining:
            break;
        default:
            reject(Code::code_reject, bytes, now, effects);
            break;
    }
}

void LinkEndpoint::on_protocol_reject(const ControlPacket& packet, TimePoint now,
                                      Effects& effects) {
    ByteReader reader(packet.data);
    const auto rejected = static_cast<Protocol>(reader.u16());
    if (!reader.ok()) {
        ++counters_->malformed;
        return;
    }
    switch (rejected) {
        case Protocol::ip:
        case Protocol::compressed:
            terminate("peer rejects what it is sent", EndCause::nas_request, effects);
            break;
        case Protocol::lcp:
        case Protocol::ipcp:
        case Protocol::ipv6cp:
        case Protocol::ipv6:
            ++counters_->unexpected;
            break;
        default:
            ++counters_->unexpected;
            if (!strange_rejects_.take(now)) {
                terminate("peer cannot read what it is sent", EndCause::nas_request, effects);
            }
            break;
    }
}

void LinkEndpoint::on_network_control(Protocol protocol, ByteView bytes, Effects& effects) {
    const bool is_ipcp = protocol == Protocol::ipcp;
    const Result<ControlPacket> packet = parse_control_packet(bytes);
    if (!packet) {
        ++counters_->malformed;
    } else if (packet->code == Code::configure_request) {
        terminate(
            is_ipcp ? "peer wants to negotiate IPCP anew" : "peer wants to negotiate IPv6CP anew",
            EndCause::nas_request, effects);
    } else if (packet->code == Code::terminate_request) {
        effects.frames.push_back(encode_control_frame(
            protocol, {.code = Code::terminate_ack, .id = packet->id, .data = {}}));
        if (is_ipcp) {
            terminate("peer sent IPCP Terminate-Request", EndCause::user_request, effects);
        }
    } else {
        ++counters_->unexpected;
    }
}

bool LinkEndpoint::is_of_peer(ByteReader& data) {
    const std::uint32_t magic = data.u32();
    if (!data.ok()) {
        ++counters_->malformed;
        return false;
    }
    if (magic != 0 && magic == settings_.ours.magic) {
        ++counters_->looped;
        return false;
    }
    return true;
}

void LinkEndpoint::on_echo_request(const ControlPacket& packet, Effects& effects) {
    ByteReader reader(packet.data);
    if (!is_of_peer(reader)) {
        return;
    }
    // A reply never exceeds the peer's MRU, even if its request did.
    const std::size_t room = data_room(settings_.theirs) - kMagicBytes;
    const ByteView rest = reader.rest();
    ByteWriter data;
    data.u32(settings_.ours.magic).bytes(rest.first(std::min(rest.size(), room)));
    effects.frames.push_back(encode_control_frame(
        Protocol::lcp, {.code = Code::echo_reply, .id = packet.id, .data = data.view()}));
}

void LinkEndpoint::on_echo_reply(const ControlPacket& packet, TimePoint now) {
    ByteReader reader(packet.data);
    if (!is_of_peer(reader)) {
        return;
    }
    unanswered_ = 0;
    const auto age = static_cast<std::uint8_t>(packet.id - first_probe_id_);
    const auto sent = static_cast<std::uint8_t>(next_id_ - first_probe_id_);
    answered_ = answered_ || age < sent;
    if (echo_ && echo_->id == packet.id) {
        ++counters_->echoes_answered;
        counters_->echo_time += now - echo_->sent;
        echo_.reset();
    }
}

LinkEndpoint::Effects LinkEndpoint::on_time(TimePoint now) {
    Effects effects;
    if (!open_ || !next_echo_ || now < *next_echo_) {
        return effects;
    }
    if (std::exchange(received_, false) && settings_.echo_is_adaptive) {
        unanswered_ = 0;
        next_echo_ = now + settings_.echo_interval;
        return effects;
    }
    if (settings_.echo_failures != 0 && unanswered_ >= settings_.echo_failures) {
        terminate("peer left LCP echoes unanswered", EndCause::lost_carrier, effects);
        return effects;
    }
    echo_ = {next_id_, now};
    ++counters_->echoes_sent;
    send_with_magic(Code::echo_request, next_id_++, effects);
    ++unanswered_;
    next_echo_ = now + settings_.echo_interval;
    return effects;
}

LinkEndpoint::Effects LinkEndpoint::probe() {
    Effects effects;
    if (open_) {
        send_with_magic(Code::echo_request, next_id_++, effects);
    }
    return effects;
}

void LinkEndpoint::forget_answer() {
    answered_ = false;
    first_probe_id_ = next_id_;
}

LinkEndpoint::Effects LinkEndpoint::close(std::string reason) {
    Effects effects;
    if (open_) {
        terminate(std::move(reason), EndCause::nas_request, effects);
    }
    return effects;
}

void LinkEndpoint::reject(Code code, ByteView rejected, TimePoint now, Effects& effects) {
    if (now - reject_period_ >= std::chrono::seconds(1)) {
        reject_period_ = now;
        rejects_ = 0;
    }
    if (rejects_ >= limits::kPppRejectsPerSecondMax) {
        ++counters_->rejects_withheld;
        return;
    }
    ++rejects_;
    // RFC 1661 5.6, 5.7: the rejected packet is cut to the peer's MRU.
    const ByteView copy = rejected.first(std::min(rejected.size(), data_room(settings_.theirs)));
    effects.frames.push_back(
        encode_control_frame(Protocol::lcp, {.code = code, .id = next_id_++, .data = copy}));
}

void LinkEndpoint::send_with_magic(Code code, std::uint8_t id, Effects& effects) {
    ByteWriter data;
    data.u32(settings_.ours.magic);
    effects.frames.push_back(
        encode_control_frame(Protocol::lcp, {.code = code, .id = id, .data = data.view()}));
}

void LinkEndpoint::terminate(std::string reason, EndCause cause, Effects& effects) {
    effects.frames.push_back(encode_control_frame(
        Protocol::lcp, {.code = Code::terminate_request, .id = next_id_++, .data = {}}));
    end(std::move(reason), cause, effects);
}

void LinkEndpoint::end(std::string reason, EndCause cause, Effects& effects) {
    open_ = false;
    next_echo_.reset();
    effects.end_reason = std::move(reason);
    effects.cause = cause;
}

}  // namespace vpnha::ppp
