// SPDX-License-Identifier: GPL-2.0-or-later
// One L2TP tunnel that this node continues after a takeover, and the PPP links in it: the control
// channel (RFC 2661 5.8) and LCP's echo and termination (RFC 1661 5.5–5.8). Data packets never
// reach this class: the kernel carries them.
//
// Pure: datagrams, frames and time in, effects out. Created when the node is promoted, dropped
// without a message when it is demoted; the kernel state stays with the installer.
//
//   event \ phase              | waiting | live                                    | closing
//   ---------------------------+---------+-----------------------------------------+-----------
//   on_promoted                | live    | -                                       | -
//   StopCCN with the peer's id | dropped | all sessions end, ended                 | ended
//   CDN with the peer's id of  | dropped | it ends; closing, if it was the last    | ignored
//     a session                |         |                                         |
//   StopCCN, CDN, others       | dropped | acknowledged, ignored                   | the same
//   ICRQ                       | dropped | a new call (tunnel_calls.hpp)           | CDN: no
//                              |         |                                         | facilities
//   OCRQ                       | dropped | CDN: no facilities                      | the same
//   ICCN, OCCN, no such call   | dropped | CDN: the call half set up died with the | the same
//                              |         | other node                              |
//   a new call ended           | -       | CDN; closing, if nothing else is left   | -
//   SCCRQ from the peer        | dropped | suspicion, at most once in 10 s, and    | ended
//                              |         | once more by the second of a dial       |
//   unknown AVP with M bit     | dropped | acknowledged, ignored                   | the same
//   unknown type with M bit    | dropped | acknowledged, ignored                   | the same
//   probes, or a message of    | -       | suspicion                               | -
//     ours, unanswered for 31 s|         |                                         |
//   an LCP reply in suspicion  | -       | no suspicion any more                   | -
//   suspicion not settled in   | -       | all sessions end, ended; no suspicion   | -
//     time                     |         | any more, if one SCCRQ alone raised it  |
//   link ended                 | dropped | CDN; closing, if it was the last        | -
//   a session yields           | it is removed silently; ended, if it was the last   | -
//   31 s pass                  | -       | -                                       | ended
//   ours all acknowledged      | -       | -                                       | ended
//
// Proof: anyone can write a header, and its numbers are small and can be guessed. So a message ends
// only what it names by the id that the peer assigned. A StopCCN names it by its Assigned Tunnel
// ID, a CDN by its Assigned Session ID (RFC 2661 4.4.3, 4.4.4). xl2tpd and Apple's client send
// both; Android's mtpd, accel-ppp and l2tpns at least that of the StopCCN. Stock xl2tpd requires
// both. A message with an unknown AVP or type, with the M bit, proves nothing: unlike in RFC 2661
// 4.1, it ends nothing. LCP detects the end if the id is hidden, which this node cannot read, or is
// ours, as an old client of Deterministic Networks writes it.
//
// New calls: this side is their LNS. The tunnel sends ICRP and CDN. The owner decides which calls
// are accepted, and has a pppd for each, whose LCP the tunnel does not handle.
//
// Suspicion: an SCCRQ means that the peer lost the tunnel, but anyone can forge one. Every session
// is probed by LCP echoes, in large tunnels some per turn. If none answers and the SCCRQ came
// again, the tunnel ends without a message, and the peer's next SCCRQ reaches the stock daemon. If
// one answers, a suspicion in the next minute is slower. A tunnel of new calls alone has no link to
// probe, and a suspicion ends nothing there: each call ends by its pppd's echoes. "closing" has
// sent StopCCN; "ended" ignores everything. After a StopCCN of the peer the socket does not linger.
// A lost acknowledgement costs the peer 31 s of a dead tunnel; a lingering socket would cost it the
// first second of its next dial.
//
// SessionEnded comes before the CDN and StopCCN are acknowledged: the tunnel's socket must stay
// until TunnelEnded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/control_channel.hpp"
#include "protocols/l2tp/model/control_message.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/model/link_endpoint.hpp"

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
    EndCause cause{};
};
// No session is left and the peer is notified: the tunnel's socket may be closed.
struct TunnelEnded {
    std::string reason;
};
// The peer requests a new call: it is to be accepted or ended.
struct CallAsked {
    SessionKey call;
};
// The call is set up: its pppd is to start.
struct CallConnected {
    SessionKey call;
};
// The call is over, at whatever stage: its pppd is to end.
struct CallEnded {
    SessionKey call;
    std::string reason;
};
using TunnelEffect = std::variant<SendDatagram, SendFrame, SessionEnded, TunnelEnded, CallAsked,
                                  CallConnected, CallEnded>;
using TunnelEffects = std::vector<TunnelEffect>;

// Dropped bytes, counted per reason for metrics.
struct TunnelCounters {
    std::uint64_t malformed = 0;
    std::uint64_t data = 0;             // Data packets that the kernel did not know.
    std::uint64_t foreign_tunnel = 0;   // A tunnel id that is not ours.
    std::uint64_t out_of_window = 0;    // Ns ahead of what is expected, or Nr not yet sent.
    std::uint64_t duplicates = 0;       // Acknowledged again, RFC 2661 5.8.
    std::uint64_t unexpected = 0;       // Well-formed, but not for an established tunnel.
    std::uint64_t unproven = 0;         // It would end something, but has not the id as proof.
    std::uint64_t retransmissions = 0;  // Ours.
    ppp::LinkCounters links;

    TunnelCounters& operator+=(const TunnelCounters& other);
};

class ResumedTunnel {
  public:
    explicit ResumedTunnel(const TunnelKey& key, const ChannelOptions& options = {});
    ~ResumedTunnel();
    ResumedTunnel(ResumedTunnel&&) noexcept;
    ResumedTunnel& operator=(ResumedTunnel&&) noexcept;

    // Adds a session of this tunnel; the record's tunnel key must equal this tunnel's.
    void add_session(const SessionRecord& record);

    // The node serves the VIP now: learn Ns/Nr from the peer, start the echo timers. Each link
    // sends its peer a packet without a data sequence number. A peer that numbers its own packets
    // must stop then (RFC 2661 5.4); this node's kernel may drop them until it does.
    [[nodiscard]] TunnelEffects on_promoted(TimePoint now);
    // Bytes that the peer sent to the tunnel's UDP socket (control, or data the kernel did not
    // know).
    [[nodiscard]] TunnelEffects on_datagram(ByteView datagram, TimePoint now);
    // A frame of a session's PPP channel or unit: protocol number first.
    [[nodiscard]] TunnelEffects on_frame(const SessionKey& session, ByteView frame, TimePoint now);
    // The session's peer has sent IP packets.
    void on_traffic(const SessionKey& session);
    // This side ends a session: LCP Terminate-Request and CDN, after the last StopCCN.
    [[nodiscard]] TunnelEffects end_session(const SessionKey& session, std::string reason,
                                            EndCause cause, TimePoint now);
    // Accepts a call of CallAsked. No effect on one that is over.
    [[nodiscard]] TunnelEffects accept_call(const SessionKey& call, TimePoint now);
    // A new call is refused, or its pppd has ended: the peer receives a CDN. No effect on one that
    // is over.
    [[nodiscard]] TunnelEffects end_call(const SessionKey& call, CdnResult result,
                                         std::string reason, TimePoint now);
    // A new call that was set up before the tunnel was silent for a while.
    void add_call(const SessionKey& call);
    // The stock daemon handles this session again; nothing is sent.
    [[nodiscard]] TunnelEffects yield_session(const SessionKey& session);
    // The time given by next_deadline() has come; harmless when it has not.
    [[nodiscard]] TunnelEffects on_time(TimePoint now);

    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] const TunnelKey& key() const;
    // New calls count as well.
    [[nodiscard]] bool has_sessions() const;
    [[nodiscard]] const TunnelCounters& counters() const;
    // Links that were visited since the start: a measure of the cost of a packet.
    [[nodiscard]] std::uint64_t link_visits() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::l2tp
