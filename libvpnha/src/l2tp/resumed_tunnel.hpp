// SPDX-License-Identifier: GPL-2.0-or-later
// One L2TP tunnel that this node goes on with after a takeover, and the PPP links in it: the control
// channel (RFC 2661 5.8) and LCP's echo and termination (RFC 1661 5.5–5.8). Data packets never come
// here: the kernel carries them.
//
// Pure: datagrams, frames and time in, effects out. Created when the node is promoted, dropped
// without a word when it is demoted; the kernel state stays with the installer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "l2tp/session_record.hpp"

namespace vpnha::l2tp {

// Send on the tunnel's connected UDP socket.
struct SendDatagram {
    Bytes bytes;
};
// Send on the session's PPP channel: protocol number (2 octets) first, no address or control field.
struct SendFrame {
    SessionKey session;
    Bytes frame;
};
// The session is over: its kernel state and its record are to be removed everywhere.
struct SessionEnded {
    SessionKey session;
    std::string reason;  // For the log: "peer sent CDN (result 3)".
};
// No session is left and the peer knows: the tunnel's socket may be closed.
struct TunnelEnded {
    std::string reason;
};
using TunnelEffect = std::variant<SendDatagram, SendFrame, SessionEnded, TunnelEnded>;
using TunnelEffects = std::vector<TunnelEffect>;

// Why bytes were dropped, counted per reason for metrics.
struct TunnelCounters {
    std::uint64_t malformed = 0;
    std::uint64_t foreign_tunnel = 0;   // A tunnel id that is not ours.
    std::uint64_t out_of_window = 0;    // Ns ahead of what is expected, or Nr not yet sent.
    std::uint64_t duplicates = 0;       // Acknowledged again, RFC 2661 5.8.
    std::uint64_t unexpected = 0;       // Well-formed, but not for an established tunnel.
    std::uint64_t retransmissions = 0;  // Ours.
};

class ResumedTunnel {
  public:
    explicit ResumedTunnel(const TunnelKey& key);
    ~ResumedTunnel();
    ResumedTunnel(ResumedTunnel&&) noexcept;
    ResumedTunnel& operator=(ResumedTunnel&&) noexcept;

    // Adds a session of this tunnel; the record's tunnel key must equal this tunnel's.
    void add_session(const SessionRecord& record);

    // The node speaks for the VIP now: learn Ns/Nr from the peer, start the echo timers.
    [[nodiscard]] TunnelEffects on_promoted(TimePoint now);
    // Bytes that the peer sent to the tunnel's UDP socket (control, or data the kernel did not know).
    [[nodiscard]] TunnelEffects on_datagram(ByteView datagram, TimePoint now);
    // A frame of a session's PPP channel or unit: protocol number first.
    [[nodiscard]] TunnelEffects on_frame(const SessionKey& session, ByteView frame, TimePoint now);
    // The operator ends a session (CDN), or all of them (StopCCN).
    [[nodiscard]] TunnelEffects end_session(const SessionKey& session, TimePoint now);
    // The time given by next_deadline() has come; harmless when it has not.
    [[nodiscard]] TunnelEffects on_time(TimePoint now);

    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] const TunnelKey& key() const;
    [[nodiscard]] bool has_sessions() const;
    [[nodiscard]] const TunnelCounters& counters() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::l2tp
