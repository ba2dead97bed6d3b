// SPDX-License-Identifier: GPL-2.0-or-later
// Queries a peer for the numbers of its control connection, while no node has a socket for it. The
// peer answers a segment with an old number by an acknowledgement that has both numbers (RFC 9293
// 3.10.7.4). Any other segment from the peer shows them as well.
//
// The answer also shows which Echo-Request the peer waits for: a request has 16 octets, a reply 20.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::pptp {

// To be sent from the VIP without a socket: ACK, no data; the timestamps only if the connection has
// them.
struct ProbeSegment {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint32_t tsval = 0;
    std::uint32_t tsecr = 0;
    friend bool operator==(const ProbeSegment&, const ProbeSegment&) = default;
};

// A segment of the peer, as it was captured.
struct PeerSegment {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint16_t window = 0;  // As on the wire.
    std::optional<std::uint32_t> tsval;
    std::uint32_t tsecr = 0;
    bool rst = false;
    bool syn = false;
};

// The state from which a socket is made.
struct ControlSocket {
    TcpOptions options;
    std::uint32_t snd_nxt = 0;
    std::uint32_t rcv_nxt = 0;
    std::uint32_t snd_wnd = 0;
    std::uint32_t tsval = 0;
    std::uint32_t peer_tsval = 0;
    friend bool operator==(const ControlSocket&, const ControlSocket&) = default;
};

class ControlProbe {
  public:
    enum class Answer { none, numbers, reset };

    // `age`: how old the numbers are.
    ControlProbe(const TcpOptions& options, const CallNumbers& numbers, Duration age);

    // The segment to send now. nullopt: it is not time, or enough were sent.
    [[nodiscard]] std::optional<ProbeSegment> on_time(TimePoint now);
    [[nodiscard]] Answer on_segment(const PeerSegment& segment, TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return next_; }
    // No answer has come for a second: the known numbers have to do.
    [[nodiscard]] bool is_hopeless(TimePoint now) const;
    [[nodiscard]] const ControlSocket& socket() const { return socket_; }
    // The Echo-Request to which the peer has no reply.
    [[nodiscard]] std::optional<std::uint32_t> unanswered_echo() const { return unanswered_; }
    // From the first probe to the answer.
    [[nodiscard]] Duration took() const { return took_; }

  private:
    ControlSocket socket_;
    CallNumbers known_;
    std::optional<std::uint32_t> unanswered_;
    std::optional<TimePoint> begun_;
    std::optional<TimePoint> next_{TimePoint{}};
    Duration took_{};
    int sent_ = 0;
};

// The socket of numbers that are final.
[[nodiscard]] ControlSocket control_socket(const TcpOptions& options, const CallNumbers& numbers,
                                           Duration age);

}  // namespace vpnha::pptp
