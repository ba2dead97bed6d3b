// SPDX-License-Identifier: GPL-2.0-or-later
// Follows the stock PPTP calls of one VIP by the packets that come and go: what their TCP
// connections agreed on, and the numbers that a successor goes on beyond. Pure.
//
// The device's taps see what comes before the gate does, and what goes after it. So the numbers of
// what we send are those of packets that have left, and what the peer has sent counts once our own
// acknowledgement of it has left. A capture that lost packets shows smaller numbers, which a
// successor finds out to be old. An MPPE index is right again with the next packet: its count has
// 12 bits (RFC 3078 3.1), and the GRE number beside it, which has 32, tells the rest.
//
// While the gateway moves to another node, the gate sends on there what comes (host/gate). The
// tap sees such a packet of a call twice, as it comes and as it goes. pptpd never gets it, and its
// number is left to the other node, unless pptpd has acknowledged it before.
//
// What comes may be forged, and may be nothing to pptpd or the kernel. It counts in these cases:
//
//   what                     | when
//   -------------------------+------------------------------------------------------------------
//   SYN                      | our SYN-ACK acknowledges it
//   any other segment        | its number is up to 16 KiB beyond what we have acknowledged, and it
//                            | acknowledges what we have sent
//   RST                      | its number lies between what we have acknowledged and what has come
//   GRE, with a number       | that is within 2 048 of the last one, the first one below 65 536; or
//                            | we have acknowledged it: then pptpd has taken it
//   GRE acknowledgement      | it is within 65 536 of the last number that we sent
//
// Whoever sends a SYN makes a connection here, before any rule of the node has seen it. One whose
// handshake does not end, or that has no call, is forgotten in time; beyond the bound the one that
// would be the next to be forgotten goes for a new one.
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
    // Since its last packet: PPP authenticates meanwhile, and nothing is sent on the connection.
    static constexpr Duration kWithoutCallPause = std::chrono::seconds(120);

    explicit CallObserver(Ipv4Address vip) : vip_(vip) {}
    CallObserver(const CallObserver&) = delete;
    CallObserver& operator=(const CallObserver&) = delete;

    [[nodiscard]] Ipv4Address vip() const { return vip_; }

    // What a packet was beside numbers.
    enum class News {
        none,
        begins,    // The peer has acknowledged our SYN.
        end_meant  // One of its ends means to end it: FIN, RST, Stop, Call-Clear, Disconnect.
    };
    struct Noted {
        News news = News::none;
        Ipv4Endpoint peer;
    };
    Noted on_packet(const ObservedPacket& packet, Way way, TimePoint now);

    // nullopt: neither the handshake nor the plugin has told of such a connection.
    [[nodiscard]] std::optional<pptp::TcpOptions> options_of(const Ipv4Endpoint& peer) const;
    // From now on its packets count as this call's.
    void follow(const pptp::CallKey& key);
    void forget(const pptp::CallKey& key, TimePoint now);
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }
    // Connections that were forgotten for want of room, or never followed.
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

    // The calls whose numbers have changed since the last time; all of them. `now` is put into
    // their TCP time stamps.
    [[nodiscard]] std::vector<pptp::CallState> take_changed(TimePoint now);
    [[nodiscard]] std::vector<pptp::CallState> all(TimePoint now) const;
    // Of a call that is followed.
    [[nodiscard]] pptp::CallNumbers numbers_of(const pptp::CallKey& key, TimePoint now) const;
    // Packets that we sent since take_changed(), of the call with most of them.
    [[nodiscard]] std::uint32_t sent_unread() const { return sent_unread_; }

  private:
    // One direction of a control connection.
    struct Side {
        bool seen = false;
        std::uint32_t next = 0;          // Behind the last octet that was sent.
        std::uint32_t acknowledged = 0;  // The other's, by this side.
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
        std::uint32_t begin = 0;  // Behind our SYN.
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
        std::optional<Received> sent_on;  // Before the first packet that was sent on.
        std::uint32_t sent = 0;
        // Packets of the peer before its first acknowledgement of one of ours.
        std::uint32_t unacknowledging = 0;
        bool acknowledges = false;
        bool changed = false;
    };
    // Of GRE: the receiver's id, which stands in it, and the peer's address.
    struct Direction {
        Ipv4Address peer;
        std::uint16_t call = 0;
        friend auto operator<=>(const Direction&, const Direction&) = default;
    };

    Noted on_segment(const ObservedSegment& segment, bool out, TimePoint now);
    // A SYN of that peer has come. Where all others have calls it is not followed.
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
    // One that is over and has no call any more.
    void drop_if_over(const Ipv4Endpoint& peer);
    [[nodiscard]] bool has_call(const Ipv4Endpoint& peer);
    News on_message(const ObservedSegment& segment, bool out, Connection& connection);
    // Whether it belongs to that connection. Our probes of another one with the same addresses do
    // not: a resumed call's, whose client a forged SYN names.
    [[nodiscard]] static bool is_ours(const ObservedSegment& segment, const Connection& connection);
    // Whether the peer's segment is one that our end of the connection can take.
    [[nodiscard]] static bool is_expected(const ObservedSegment& segment,
                                          const Connection& connection);
    [[nodiscard]] pptp::CallState state_of(const Call& call, TimePoint now) const;

    Ipv4Address vip_;
    std::map<Ipv4Endpoint, Connection> connections_;
    std::set<std::pair<TimePoint, Ipv4Endpoint>> idle_;  // Those without a call.
    std::uint64_t evicted_ = 0;
    std::map<pptp::CallKey, Call> calls_;
    std::map<Direction, Call*> incoming_;
    std::map<Direction, Call*> outgoing_;
    std::uint32_t sent_unread_ = 0;
};

}  // namespace vpnha::adapters
