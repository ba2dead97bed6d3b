// SPDX-License-Identifier: GPL-2.0-or-later
// The reliable control channel (RFC 2661 5.8) of a tunnel that another node set up. Neither Ns nor
// Nr is replicated: both are learned from the peer, in one round trip for each belief.
//
// Sending. A probe is a HELLO at the number that we believe to be next. The first
// one is old on purpose: a peer answers a duplicate with a ZLB, whose Nr is right.
// We believe it and probe there. Once the peer has acknowledged the probe itself,
// the numbers are proven and other messages may be sent. No number is ever used for
// two contents: all numbers below the proven one are probes, which the peer drops as
// duplicates, or messages that it has received. If a probe was sent ahead of it (0
// is ahead of 65 535), the message that gets this number later is a HELLO as well.
//
// Either 0 or 32 768 is an old number to every peer, however many messages it has received. The
// first series of probes is sent at 0, the next one at 32 768, and so on in turn. With a HELLO a
// minute, a tunnel reaches numbers for which 0 lies ahead only after 22 days.
//
//   event \ state         | silent  | probing                  | unanswered | synced
//   ----------------------+---------+--------------------------+------------+----------------------
//   start()               | probing | -                        | -          | -
//   Nr = probe + 1        | dropped | synced; believe, if it   | believe    | acknowledges
//                         |         | is the first             |            |
//   Nr ahead of that      | dropped | believe                  | believe    | learn anew
//   Nr behind             | dropped | believe, if it is the    | believe    | learn anew
//                         |         | first; else contradicted |            |
//   a pause passes        | -       | retransmit; learn anew,  | -          | retransmit
//                         |         | if contradicted          |            |
//   31 s pass             | -       | unanswered               | -          | unanswered, if a
//                         |         |                          |            | message was so long
//                         |         |                          |            | unacknowledged
//   hello interval passes | -       | -                        | -          | HELLO if idle
//   60 s pass             | -       | -                        | probing    | -
//
// "believe" leads to probing there, "learn anew" to probing at an old number. Anyone can forge an
// Nr, so no belief is final: two forged ones can make this side synced at a wrong number, and the
// next true one corrects it. A late honest Nr costs two probes. `unanswered` does not mean that the
// peer is dead. The number may lie ahead of the peer's, which drops it, or an Nr was forged. The
// next series, or a message of the peer, shows the right number. The owner sends LCP echoes
// meanwhile (went_unanswered()).
//
// Sent messages are remembered with their numbers (used_numbers.hpp). If the right number is lower,
// because an acknowledgement was forged, the same messages are sent again. A message that was
// unacknowledged when this side learns anew gets a new number if the peer is past its own. The peer
// may then receive it twice, or may have dropped it as a duplicate. A repeated CDN or StopCCN has
// no effect.
//
// Receiving: see peer_numbers.hpp. After a message that does not fit, this side sends a HELLO, and
// the ZLB has the peer's Ns. Until it is synced, it believes the peer's latest message instead.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "protocols/l2tp/model/control_message.hpp"
#include "protocols/l2tp/model/peer_numbers.hpp"
#include "protocols/l2tp/model/seq16.hpp"
#include "protocols/l2tp/model/used_numbers.hpp"

namespace vpnha::l2tp {

struct ChannelOptions {
    // A HELLO after so long without a control message from the peer; 0: none.
    Duration hello_interval = std::chrono::seconds(60);
};

struct ChannelCounters {
    std::uint64_t out_of_window = 0;  // Ns or Nr.
    std::uint64_t duplicates = 0;
    std::uint64_t retransmissions = 0;
};

class ControlChannel {
  public:
    // The time of all retransmissions of a message, and the pause after the last.
    static constexpr std::chrono::seconds kGiveUp{31};

    enum class State { silent, probing, unanswered, synced };

    ControlChannel(TunnelId peer_id, const ChannelOptions& options)
        : peer_id_(peer_id), options_(options) {}

    void start(TimePoint now);
    // A message from the peer for this tunnel. True: its content is to be handled, now.
    [[nodiscard]] bool on_message(const ControlHeader& header, bool is_zlb, TimePoint now);
    // Queues a message; `session` is the peer's session id, or 0. The owner bounds the queue: one
    // message per session that ends, and answers only while it is not crowded().
    void send(SessionId session, Bytes avps, TimePoint now);
    void on_time(TimePoint now);

    // Datagrams to send, in order; the caller takes them after every call above.
    [[nodiscard]] std::vector<Bytes> take_datagrams();
    // True once after the probes of one series, or a message, went unanswered.
    [[nodiscard]] bool went_unanswered();

    [[nodiscard]] State state() const { return state_; }
    // Everything that was sent is acknowledged.
    [[nodiscard]] bool idle() const { return state_ == State::synced && queue_.empty(); }
    [[nodiscard]] bool crowded(TimePoint now) const;
    [[nodiscard]] const ChannelCounters& counters() const { return counters_; }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Outgoing {
        ControlContent content;
        Seq16 ns{};       // Of messages in flight.
        TimePoint due{};  // Of its next retransmission, or of giving up.
        std::size_t transmissions = 0;
    };

    enum class Acknowledgement { none, fresh, misfit };

    void learn_anew(TimePoint now);
    void take_back();
    void probe(Seq16 ns, TimePoint now);
    void give_up(TimePoint now);
    Acknowledgement on_acknowledgement(Seq16 nr, TimePoint now);
    Acknowledgement on_answer(Seq16 nr, TimePoint now);
    bool receive(Seq16 ns, TimePoint now);
    void ask(TimePoint now);
    void flush(TimePoint now);
    void begin(Outgoing& message, Seq16 ns, TimePoint now);
    void transmit(Outgoing& message, TimePoint now);
    void emit(SessionId session, Seq16 ns, Seq16 nr, ByteView avps);
    void retransmit(TimePoint now);
    [[nodiscard]] static bool is_hello(const Outgoing& message);
    [[nodiscard]] bool is_next(const ControlContent& content) const;
    [[nodiscard]] static bool spent(const Outgoing& message);
    [[nodiscard]] std::optional<TimePoint> hello_due() const;

    TunnelId peer_id_;
    ChannelOptions options_;
    State state_ = State::silent;
    bool received_ = false;      // The believed Ns comes from the peer.
    bool contradicted_ = false;  // While probing: an Nr contradicted the believed one.
    bool went_unanswered_ = false;
    Seq16 old_ns_{0};         // The old number for the next series of probes.
    TimePoint series_end_{};  // While probing.
    Outgoing probe_;          // While probing.
    UsedNumbers used_;
    Seq16 next_ns_{};             // Of the next new message, once synced.
    std::deque<Outgoing> queue_;  // The first in_flight_ were sent.
    std::size_t in_flight_ = 0;
    PeerNumbers peer_;
    TimePoint asked_{};  // The last time of ask().
    TimePoint last_received_{};
    TimePoint next_probes_{};  // While unanswered.
    std::vector<Bytes> outbox_;
    ChannelCounters counters_;
};

}  // namespace vpnha::l2tp
