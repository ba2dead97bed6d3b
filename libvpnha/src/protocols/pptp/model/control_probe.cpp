// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/control_probe.hpp"

#include <algorithm>

#include "protocols/pptp/model/control_message.hpp"
#include "protocols/pptp/model/limits.hpp"

namespace vpnha::pptp {

namespace {

using namespace std::chrono_literals;

constexpr int kFastProbes = 5;
constexpr Duration kFast = 50ms;
constexpr Duration kSlow = 200ms;  // Linux answers each 500 ms then.
constexpr Duration kHopeless = 1s;

// A peer drops a segment whose timestamp is older than its last one (RFC 7323 5). pptpd sends each
// minute, so the age of the numbers is known to a minute. A timestamp in the future is harmless.
constexpr std::uint32_t kTimestampLead = 120'000;

std::uint32_t milliseconds(Duration duration) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// The number of messages of that size in the octets; nullopt: they are something else.
std::optional<std::uint32_t> messages(std::uint32_t octets, std::size_t size) {
    return octets % size == 0 ? std::optional(octets / static_cast<std::uint32_t>(size))
                              : std::nullopt;
}

}  // namespace

ControlSocket control_socket(const TcpOptions& options, const CallNumbers& numbers, Duration age) {
    return {options,
            numbers.snd_nxt,
            numbers.rcv_nxt,
            numbers.snd_wnd,
            numbers.tsval + milliseconds(age) + 1,
            numbers.peer_tsval};
}

ControlProbe::ControlProbe(const TcpOptions& options, const CallNumbers& numbers, Duration age)
    : socket_(control_socket(options, numbers, age)), known_(numbers) {
    socket_.tsval += kTimestampLead;
    if (known_.echo_open) {
        unanswered_ = known_.echo_id;
    }
}

std::optional<ProbeSegment> ControlProbe::on_time(TimePoint now) {
    if (!next_ || now < *next_) {
        return std::nullopt;
    }
    begun_ = begun_ ? begun_ : now;
    if (is_hopeless(now)) {
        next_.reset();
        return std::nullopt;
    }
    next_ = now + (++sent_ < kFastProbes ? kFast : kSlow);
    ++socket_.tsval;
    return ProbeSegment{known_.snd_nxt - 1, known_.rcv_nxt, socket_.tsval, socket_.peer_tsval};
}

bool ControlProbe::is_hopeless(TimePoint now) const {
    return begun_ && now - *begun_ >= kHopeless;
}

ControlProbe::Answer ControlProbe::on_segment(const PeerSegment& segment, TimePoint now) {
    const std::uint32_t received = segment.sequence - known_.rcv_nxt;
    if (segment.syn || received > limits::kPptpStreamLagMax) {
        return Answer::none;
    }
    if (segment.rst) {
        // An answer to a probe has the number that the probe acknowledges (RFC 9293 3.10.7.1). Any
        // other RST may be forged (RFC 5961 3.2); its true sender will answer the next probe.
        return received == 0 ? Answer::reset : Answer::none;
    }
    const std::uint32_t advance = segment.acknowledgement - known_.snd_nxt;
    if (advance > limits::kPptpStreamLagMax) {
        return Answer::none;
    }
    next_.reset();
    took_ = begun_ ? now - *begun_ : Duration{};
    socket_.snd_nxt = segment.acknowledgement;
    socket_.rcv_nxt = segment.sequence;
    socket_.snd_wnd = std::uint32_t{segment.window} << socket_.options.peer_scale;
    if (segment.tsval) {
        socket_.peer_tsval = *segment.tsval;
        if (static_cast<std::int32_t>(segment.tsecr - socket_.tsval) >= 0) {
            socket_.tsval = segment.tsecr + 1;
        }
    }
    // Requests and replies that are newer than the known numbers.
    const auto requests = messages(received, kEchoRequestBytes);
    const auto replies = messages(advance, kEchoReplyBytes);
    unanswered_.reset();
    if (requests && replies && *requests + (known_.echo_open ? 1 : 0) > *replies) {
        unanswered_ = known_.echo_id + *requests;
    }
    return Answer::numbers;
}

}  // namespace vpnha::pptp
