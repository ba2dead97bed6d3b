// SPDX-License-Identifier: GPL-2.0-or-later
// Follows the stock PPTP calls of one VIP by their packets: the options of their TCP connections,
// and the numbers beyond which a successor continues. Pure.
//
// The device's taps see incoming packets before the gate, and outgoing ones after it. So our
// numbers are those of packets that have left. The peer's numbers count once our acknowledgement of
// them has left. A capture that lost packets shows smaller numbers, which a successor detects as
// old. An MPPE index is right again with the next packet: its count has 12 bits (RFC 3078 3.1), and
// the GRE number of 32 bits determines the rest.
//
// While the gateway moves to another node, the gate forwards incoming packets there (host/gate).
// The tap sees such a packet twice, as it comes and as it goes. pptpd never receives it, and its
// number is left to the other node, unless pptpd has acknowledged it before.
//
// An incoming packet may be forged, or useless to pptpd or the kernel. It counts if:
//
//   packet                   | condition
//   -------------------------+------------------------------------------------------------------
//   SYN                      | our SYN-ACK acknowledges it
//   any other segment        | its number is up to 16 KiB beyond what we have acknowledged, and it
//                            | acknowledges what we have sent
//   RST                      | its number lies between what we have acknowledged and the last octet
//   GRE, with a number       | that is within 2 048 of the last one, the first one below 65 536; or
//                            | we have acknowledged it: then pptpd has received it
//   GRE acknowledgement      | it is within 65 536 of the last number that we sent
//
// Each SYN makes a connection here, before any rule of the node has seen it. A connection without a
// complete handshake, or without a call, is forgotten in time. At the bound a new one replaces the
// one that is due next.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "protocols/pptp/backend/observed_packet.hpp"
#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::adapters {

class CallObserver {
  public:
    static constexpr std::uint16_t kPptpPort = 1723;
    // 10 000 SYNs a second leave a handshake 1.6 s.
    static constexpr std::size_t kConnectionsMax = 16'384;
    static constexpr Duration kHandshakePause = std::chrono::seconds(10);
    // Since its last packet: while PPP authenticates, the connection is silent.
    static constexpr Duration kWithoutCallPause = std::chrono::seconds(120);

    explicit CallObserver(Ipv4Address vip) : vip_(vip) {}
    CallObserver(const CallObserver&) = delete;
    CallObserver& operator=(const CallObserver&) = delete;

    [[nodiscard]] Ipv4Address vip() const { return vip_; }

    // The meaning of a packet besides its numbers.
    enum class News {
        none,
        begins,    // The peer has acknowledged our SYN.
        end_meant  // One end requests the end: FIN, RST, Stop, Call-Clear, Disconnect.
    };
    struct Noted {
        News news = News::none;
        Ipv4Endpoint peer;
    };
    Noted on_packet(const ObservedPacket& packet, Way way, TimePoint now);

    // nullopt: neither a handshake nor the plugin has reported such a connection.
    [[nodiscard]] std::optional<pptp::TcpOptions> options_of(const Ipv4Endpoint& peer) const;
    // From now on its packets count as this call's.
    void follow(const pptp::CallKey& key);
    void forget(const pptp::CallKey& key, TimePoint now);
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }
    // Connections that were forgotten because there was no room, or never followed.
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

    // All calls whose numbers have changed since the last time. Their TCP timestamps are those of
    // `now`.
    [[nodiscard]] std::vector<pptp::CallState> take_changed(TimePoint now);
    [[nodiscard]] std::vector<pptp::CallState> all(TimePoint now) const;
    // For a call that is followed.
    [[nodiscard]] pptp::CallNumbers numbers_of(const pptp::CallKey& key, TimePoint now) const;
    // Packets that we sent since take_changed(), of the call with most of them.
    [[nodiscard]] std::uint32_t sent_unread() const { return sent_unread_; }

  private:
    // One direction of a control connection.
    struct Side {
        bool seen = false;
        std::uint32_t next = 0;          // After the last octet that was sent.
        std::uint32_t acknowledged = 0;  // Octets of the other side, by this side.
        bool finished = false;           // Its FIN was seen.
        std::uint16_t window = 0;
        std::uint16_t mss = 536;  // RFC 9293 3.7.1.
        std::optional<std::uint8_t> scale;
        bool sack = false;
        std::optional<std::uint32_t> tsval;
        TimePoint tsval_at{};
    };
    struct Connection {
        Side ours;
        Side theirs;
        std::optional<Side> asked;  // By the peer's last SYN, without our answer.
        std::uint32_t echo_id = 0;
        bool echo_open = false;
        bool hung_up = false;  // By the peer.
        bool stop_open = false;
        bool reset = false;
        std::uint32_t begin = 0;  // After our SYN.
        bool established = false;
        std::optional<TimePoint> forget_at;  // In idle_; nullopt: it has a call.
    };
    // Of MPPE, in one direction.
    struct Index {
        std::uint64_t next = 0;
        std::optional<std::uint32_t> gre;  // Of the packet before `next`.
        std::uint32_t others = 0;          // Packets without MPPE since then.
    };
    // The last numbers of the peer that pptpd has received.
    struct Received {
        std::uint32_t gre = 0;
        Index mppe;
    };
    struct Call {
        pptp::CallKey key;
        std::optional<std::uint32_t> gre_out;
        std::optional<std::uint32_t> gre_in;
        std::optional<std::uint32_t> acknowledged;  // Of the peer's numbers, by us.
        Index mppe_out;
        Index mppe_in;
        std::optional<Received> sent_on;  // Before the first forwarded packet.
        std::uint32_t sent = 0;
        // Packets of the peer before its first acknowledgement of one of ours.
        std::uint32_t unacknowledging = 0;
        bool acknowledges = false;
        bool changed = false;
    };
    // A direction of GRE: the receiver's id in the packet, and the peer's address.
    struct Direction {
        Ipv4Address peer;
        std::uint16_t call = 0;
        friend auto operator<=>(const Direction&, const Direction&) = default;
    };

    Noted on_segment(const ObservedSegment& segment, bool out, TimePoint now);
    // A SYN of that peer. It is not followed if there is no room and all others have calls.
    void on_syn(const Ipv4Endpoint& peer, const ObservedSegment& segment, TimePoint now);
    // Our answer to it.
    static void on_syn_acknowledged(const ObservedSegment& segment, Connection& connection,
                                    TimePoint now);
    [[nodiscard]] static Side side_of_syn(const ObservedSegment& segment, TimePoint now);
    static void take_segment(const ObservedSegment& segment, Side& side, TimePoint now);
    void erase(std::map<Ipv4Endpoint, Connection>::iterator connection);
    void forget_idle(TimePoint now);
    void set_idle(const Ipv4Endpoint& peer, Connection& connection, std::optional<TimePoint> until);
    [[nodiscard]] std::map<pptp::CallKey, Call>::iterator first_call_of(const Ipv4Endpoint& peer);
    void on_gre(const ObservedGre& packet, bool out);
    [[nodiscard]] static bool is_believed(const Call& call, const ObservedGre& packet);
    static void take_acknowledged(Call& call, std::uint32_t number);
    void on_sent_on(const ObservedGre& packet);
    void take_number(Call& call, const ObservedGre& packet, bool out);
    static void advance(Index& index, std::uint32_t sequence, std::uint16_t coherency,
                        std::uint32_t distance_max);
    // Drops a connection that is over and has no call.
    void drop_if_over(const Ipv4Endpoint& peer);
    [[nodiscard]] bool has_call(const Ipv4Endpoint& peer);
    News on_message(const ObservedSegment& segment, bool out, Connection& connection);
    // Whether the segment belongs to that connection. Our probes for a resumed call with the same
    // addresses do not: a forged SYN may name its client.
    [[nodiscard]] static bool is_ours(const ObservedSegment& segment, const Connection& connection);
    // Whether our end of the connection accepts the peer's segment.
    [[nodiscard]] static bool is_expected(const ObservedSegment& segment,
                                          const Connection& connection);
    [[nodiscard]] pptp::CallState state_of(const Call& call, TimePoint now) const;

    Ipv4Address vip_;
    std::map<Ipv4Endpoint, Connection> connections_;
    std::set<std::pair<TimePoint, Ipv4Endpoint>> idle_;  // Connections without a call.
    std::uint64_t evicted_ = 0;
    std::map<pptp::CallKey, Call> calls_;
    std::map<Direction, Call*> incoming_;
    std::map<Direction, Call*> outgoing_;
    std::uint32_t sent_unread_ = 0;
};

}  // namespace vpnha::adapters
