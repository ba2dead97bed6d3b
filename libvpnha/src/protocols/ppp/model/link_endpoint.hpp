// SPDX-License-Identifier: GPL-2.0-or-later
// LinkEndpoint takes the place of pppd on a link that another node negotiated. It keeps LCP Opened
// (RFC 1661 4), ends it, and negotiates nothing. IP packets never reach this class.
//
// A peer that sends a Configure-Request wants to negotiate anew. That would need its
// authentication, which a resumed link cannot repeat, so the link ends with a Terminate-Request.
// The owner ends the session below it as well (CDN), and the client redials at once instead of
// waiting for timers.
//
//   event \ state                 | open                                    | ended
//   ------------------------------+-----------------------------------------+--------
//   LCP Echo-Request              | Echo-Reply; our own magic: counted only | dropped
//   LCP Echo-Reply                | the peer lives                          | dropped
//   LCP Discard-Request,          | dropped                                 | dropped
//     Identification, Time-Rem.   |                                         |
//   LCP Terminate-Request         | Terminate-Ack, ended                    | dropped
//   LCP Terminate-Ack             | ended: the peer has no link any more    | dropped
//   LCP Configure-Request         | Terminate-Request, ended                | dropped
//   LCP Configure-Ack, -Nak, -Rej | counted: late duplicates                | dropped
//   LCP Code-Reject               | of Echo-Request: no more echoes;        | dropped
//                                 | else counted                            |
//   LCP Protocol-Reject of IP or  | Terminate-Request, ended (RFC 1661 5.7) | dropped
//     of compressed datagrams     |                                         |
//   LCP Protocol-Reject of what   | counted; the eighth within 10 s:        | dropped
//     this end never sends        | Terminate-Request, ended                |
//   LCP Protocol-Reject, others   | counted                                 | dropped
//   LCP, any other code           | Code-Reject, bounded                    | dropped
//   IPCP Configure-Request        | Terminate-Request, ended                | dropped
//   IPCP Terminate-Request        | IPCP Terminate-Ack, Terminate-Request,  | dropped
//                                 | ended                                   |
//   IPCP, any other code          | counted                                 | dropped
//   IPv6CP Configure-Request      | Terminate-Request, ended                | dropped
//   IPv6CP Terminate-Request      | IPv6CP Terminate-Ack: IPv4 continues    | dropped
//   IPv6CP, any other code        | counted                                 | dropped
//   PAP, CHAP, EAP, IP, IPv6      | counted: late, or before the unit came  | dropped
//   any other protocol            | Protocol-Reject, bounded                | dropped
//   echo interval passes          | Echo-Request, or Terminate-Request and  | -
//                                 | ended when too many are unanswered;     |
//                                 | adaptive and with traffic: nothing      |
//   close()                       | Terminate-Request, ended                | -
//
// A peer that cannot decrypt its packets takes them for packets of any protocol, and rejects them.
// IPv6 and IPv6CP on a link without them count as any other protocol. Terminate-Requests are not
// repeated: the CDN that follows is (control_channel.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "base/burst.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"
#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::ppp {

// Shared by the links of one tunnel.
struct LinkCounters {
    std::uint64_t malformed = 0;
    std::uint64_t looped = 0;            // Carried our own magic number.
    std::uint64_t unexpected = 0;        // Well-formed, but they do not fit an open link.
    std::uint64_t rejects_withheld = 0;  // Over limits::kPppRejectsPerSecondMax.
    // Those at the interval; probes are not counted.
    std::uint64_t echoes_sent = 0;
    std::uint64_t echoes_answered = 0;  // Before the next one.
    Duration echo_time{};               // Of these, all together.
};

struct LinkSettings {
    LinkOptions ours;
    LinkOptions theirs;
    Duration echo_interval{};         // 0: no echoes of ours.
    std::uint32_t echo_failures = 0;  // 0: unanswered echoes end nothing.
    // pppd's lcp-echo-adaptive: any packet of the peer counts as an Echo-Reply, and an echo is sent
    // only after an interval without a packet.
    bool echo_is_adaptive = false;
    bool ipv6 = false;  // IPv6CP is open.
};
[[nodiscard]] LinkSettings link_settings(const SessionFacts& facts);

class LinkEndpoint {
  public:
    // Tolerated Protocol-Rejects of protocols which this end never sends: so many at once, and one
    // more each 10 s.
    static constexpr int kStrangeRejectsMax = 7;

    struct Effects {
        std::vector<Bytes> frames;               // For the channel, in this order.
        std::optional<std::string> end_reason;   // Set once: the link is over.
        EndCause cause = EndCause::nas_request;  // Of the end.
    };

    // The counters must outlive the keeper.
    LinkEndpoint(const LinkSettings& settings, LinkCounters& counters)
        : settings_(settings), counters_(&counters) {}

    // The node handles the link now; the first echo follows after one interval.
    void start(TimePoint now);
    // A Discard-Request (RFC 1661 5.9): a packet from this end that the peer does not answer.
    [[nodiscard]] Effects greet();
    // A frame of the channel or the unit: protocol number first.
    [[nodiscard]] Effects on_frame(ByteView frame, TimePoint now);
    // The peer has sent IP packets, which do not pass through here.
    void on_traffic() { received_ = true; }
    [[nodiscard]] Effects on_time(TimePoint now);
    // Sends a probe at once; answered() has the result from then on.
    [[nodiscard]] Effects probe();
    [[nodiscard]] Effects close(std::string reason);

    // The peer answered an echo of the latest series of probes.
    [[nodiscard]] bool answered() const { return answered_; }
    // The next probe() begins a new series.
    void forget_answer();
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return next_echo_; }

  private:
    void on_lcp(ByteView bytes, TimePoint now, Effects& effects);
    // Of IPCP or IPv6CP.
    void on_network_control(Protocol protocol, ByteView bytes, Effects& effects);
    void on_protocol_reject(const ControlPacket& packet, TimePoint now, Effects& effects);
    // Reads an echo's magic number. False: there is none, or it is our own, and is counted.
    [[nodiscard]] bool is_of_peer(ByteReader& data);
    void on_echo_request(const ControlPacket& packet, Effects& effects);
    void on_echo_reply(const ControlPacket& packet, TimePoint now);
    void reject(Code code, ByteView rejected, TimePoint now, Effects& effects);
    void send_with_magic(Code code, std::uint8_t id, Effects& effects);
    void terminate(std::string reason, EndCause cause, Effects& effects);
    void end(std::string reason, EndCause cause, Effects& effects);

    LinkSettings settings_;
    LinkCounters* counters_;
    bool open_ = true;
    bool answered_ = false;
    bool received_ = false;  // on_traffic(), since the last check of the echoes.
    // Far from pppd's first ones: a late reply to an echo of the dead node proves nothing.
    std::uint8_t next_id_ = 0x80;
    std::uint8_t first_probe_id_ = 0x80;
    std::uint32_t unanswered_ = 0;
    std::optional<TimePoint> next_echo_;
    struct Echo {
        std::uint8_t id;
        TimePoint sent;
    };
    std::optional<Echo> echo_;   // The last one at the interval, not yet answered.
    TimePoint reject_period_{};  // Start of the second that rejects_ counts.
    std::size_t rejects_ = 0;
    Burst strange_rejects_{kStrangeRejectsMax, std::chrono::seconds(10)};
};

}  // namespace vpnha::ppp
