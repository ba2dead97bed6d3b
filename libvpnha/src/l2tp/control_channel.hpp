// SPDX-License-Identifier: GPL-2.0-or-later
// The reliable control channel (RFC 2661 5.8) of a tunnel that another node set up. Neither Ns nor
// Nr is replicated: both are learned from the peer, in one round trip for each belief.
//
// Sending. A probe is a HELLO at the number that we believe to be next. The first one is old on
// purpose: a peer answers a duplicate with a ZLB, whose Nr is the
// truth. We believe it and probe there; once the peer has acknowledged the probe itself, the
// numbers are proven and other messages may go. No number is ever used for two contents: below the
// proven number stand probes only, which the peer drops as duplicates. If a probe was sent ahead of
// it (0 is ahead of 65 535), then the message that gets this number later is a HELLO as well.
//
// One of 0 and 32 768 is an old number to every peer, however many messages it has received. The
// first series of probes is sent at 0, the next one at 32 768, and so on in turn: a tunnel needs 22
// days of a HELLO a minute before 0 is a number to come.
//
//   event \ state         | silent  | probing                  | unanswered | synced
//   ----------------------+---------+--------------------------+------------+----------------------
//   start()               | probing | -                        | -          | -
//   Nr = probe + 1        | dropped | synced; believe, if it   | believe    | acknowledges
//                         |         | is the first             |            |
//   Nr ahead of that      | dropped | believe, probe there     | believe    | dropped: not yet sent
//   Nr behind             | dropped | believe, if it is the    | believe    | ignored: old
//                         |         | first; else ignored      |            |
//   retransmissions spent | -       | unanswered               | -          | dead
//   hello interval passes | -       | -                        | -          | HELLO if idle
//   60 s pass             | -       | -                        | probing    | -
//
// "believe" leads to probing there. `dead` is final. `unanswered` is no verdict: to the peer the
// number may be one to come, which it drops. The next series, or a message of the peer, shows the
// truth. The owner asks LCP meanwhile (went_unanswered()).
//
// Receiving. What the peer sent last to the dead node may or may not have been handled there, and
// is sent again until it is acknowledged. So: the next number expected is learned (from a ZLB's Ns,
// or from the first message); messages up to kL2tpPeerWindowMax below the learned number are
// handled until the expected one has come, each acknowledged by itself. Handling must be
// idempotent. A message ahead of the expected number is dropped and counted. What was learned may
// be stale, and then the peer never fills the gap; so until the expected message itself has come
// once, a gap is answered by a HELLO, whose ZLB tells where the peer stands, and the expected
// number moves there. Afterwards the peer's retransmissions fill every gap, and the expected
// message alone is handled.
//
// One case is lost: of two messages left to the dead node the later one arrives first, and the
// earlier one is never seen, because acknowledging one acknowledges both. If it was a CDN, LCP
// finds that session dead; if it was a call, the client's own timer ends it.
//
// Until a message of the peer was handled, Nr is sent as a number that acknowledges nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "l2tp/control_message.hpp"
#include "l2tp/seq16.hpp"

namespace vpnha::l2tp {

struct ChannelOptions {
    // A HELLO after so long without a control message of the peer; 0: none.
    Duration hello_interval = std::chrono::seconds(60);
};

struct ChannelCounters {
    std::uint64_t out_of_window = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t retransmissions = 0;
};

class ControlChannel {
  public:
    enum class State { silent, probing, unanswered, synced, dead };

    ControlChannel(TunnelId peer_id, const ChannelOptions& options)
        : peer_id_(peer_id), options_(options) {}

    void start(TimePoint now);
    // A message of the peer for this tunnel. True: its content is to be handled, now.
    [[nodiscard]] bool on_message(const ControlHeader& header, bool is_zlb, TimePoint now);
    // Queues a message; `session` is the peer's session id, or 0. The owner bounds the queue: one
    // message per session that ends, and answers only while it is not crowded().
    void send(SessionId session, Bytes avps, TimePoint now);
    void on_time(TimePoint now);

    // Datagrams to send, in order; the caller takes them after every call above.
    [[nodiscard]] std::vector<Bytes> take_datagrams();
    // True once after the probes of one series went unanswered.
    [[nodiscard]] bool went_unanswered();

    [[nodiscard]] State state() const { return state_; }
    // Everything that was sent is acknowledged.
    [[nodiscard]] bool idle() const { return queue_.empty(); }
    [[nodiscard]] bool crowded() const;
    [[nodiscard]] const ChannelCounters& counters() const { return counters_; }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Outgoing {
        SessionId session{};
        Bytes avps;
        Seq16 ns{};       // Of messages in flight.
        TimePoint due{};  // Of its next retransmission, or of giving up.
        std::size_t transmissions = 0;
    };

    void probe_old_number(TimePoint now);
    void probe(Seq16 ns, TimePoint now);
    void become_synced(Seq16 next);
    bool on_acknowledgement(Seq16 nr, TimePoint now);
    void learn_peer_next(Seq16 ns);
    bool receive(Seq16 ns, TimePoint now);
    void flush(TimePoint now);
    void transmit(Outgoing& message, TimePoint now);
    void emit(SessionId session, Seq16 ns, ByteView avps);
    void retransmit(TimePoint now);
    [[nodiscard]] Seq16 current_nr() const;
    [[nodiscard]] static bool spent(const Outgoing& message);
    [[nodiscard]] std::optional<TimePoint> hello_due() const;

    TunnelId peer_id_;
    ChannelOptions options_;
    State state_ = State::silent;
    bool heard_ = false;  // The believed Ns comes from the peer.
    bool went_unanswered_ = false;
    Seq16 old_ns_{0};             // What the next series of probes takes for an old number.
    Outgoing probe_;              // While probing.
    std::deque<Seq16> probed_;    // Where probes were sent; the last kProbedMax.
    Seq16 next_ns_{};             // Of the next new message, once synced.
    std::deque<Outgoing> queue_;  // The first in_flight_ were sent.
    std::size_t in_flight_ = 0;
    std::optional<Seq16> expected_;  // The peer's next new message.
    Seq16 learned_{};                // expected_ as it was last learned, not received.
    bool proven_ = false;            // The expected message has come.
    std::optional<Seq16> acknowledged_;
    TimePoint last_heard_{};
    TimePoint next_probes_{};  // While unanswered.
    std::vector<Bytes> outbox_;
    ChannelCounters counters_;
};

}  // namespace vpnha::l2tp
