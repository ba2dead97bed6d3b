// SPDX-License-Identifier: GPL-2.0-or-later
// Learns how far a peer has received a stream of GRE numbers, of which the last ones are unknown
// here. The peer answers an LCP Echo-Request only if its number is new to the peer. LCP is never
// encrypted, so this costs no key of MPPE.
//
//   rung 0        the number after the last known one: answered, when nothing was missed
//   rungs 1 to 8  512 numbers apart, unless rung 0 is answered within 60 ms or twice the path's
//                 time, 1.2 s if that is unknown; the lowest that is answered is ahead of the
//                 peer by less than 512
//   again         the same three times, then the next 4 096 numbers, while the peer sends
//
// Each rung is sent three times: a lost one must not look like a refused one. No
// number is sent twice, and a second attempt uses higher ones: pptp-linux 1.10
// loses the packets in its queue when one of their numbers comes again. A kernel
// that does not know the peer's link-layer address holds packets for a second, so
// two attempts may arrive together. An acknowledgement beyond the known numbers
// moves the ladder up, by 65 536 in sum, if it came with proof of its sender.
//
// The network reorders packets. A rung follows the one below after half the path's time, 1 to 20
// ms: pptp-linux without its queue and Linux' own PPTP drop late packets.
//
// A rung counts when it is answered and acknowledged. The acknowledgement is one of the ladder's
// own numbers. The peer has sent it with the answer or before: its GRE numbers show that, whatever
// arrives first. An answer without it is refused after 20 ms.
//
//   peer                        | how it answers and acknowledges
//   ----------------------------+-----------------------------------------------------------------
//   pptp-linux                  | a new number. Packets after a gap are held for 0.3 s, so all are
//                               | asked at once. The acknowledgement may be a packet
//                               | of its own
//   Linux' own PPTP             | LCP under old numbers, too. It is asked rung by rung: answers
//                               | alone prove nothing. The answer to a new number acknowledges it
//   PPTP of Android up to 11,   | a new number; never acknowledges: an answer is enough
//     drivers/net/ppp/pppopns.c |
//
// If an answer is refused after all were probed, a rung counts whose own number is acknowledged.
//
// A rung may have a number that was used before, by a node that died after its last report: the
// peer has dropped it then. Later numbers are new to the peer. On rung 0 some of them may have been
// sent before, and lost: a jump would cost 0.3 s. An MPPE index has a lead instead.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace vpnha::pptp {

class Ladder {
  public:
    struct Rung {
        std::uint32_t number = 0;
        std::uint8_t id = 0;  // Of the Echo-Request.
        friend bool operator==(const Rung&, const Rung&) = default;
    };
    struct Position {
        std::uint32_t next = 0;  // The number to continue with.
        // At most so many packets were sent after the last known one.
        std::uint64_t missed = 0;
        int rung = 0;
        Duration took{};
    };

    // `last`: the last number known to have been sent. `acknowledges`: the peer does so at times.
    // `tenure`: differs between two successive nodes, so that a late answer to the rungs of one
    // does not count at the other.
    Ladder(std::uint32_t last, bool acknowledges, std::uint8_t tenure, TimePoint now)
        : acknowledges_(acknowledges),
          tenure_(tenure),
          base_(last),
          top_(last),
          begun_(now),
          next_(now) {}

    // The rungs to send now.
    [[nodiscard]] std::vector<Rung> on_time(TimePoint now);
    // The round-trip time of the path.
    void on_path(Duration time, TimePoint now);
    // For each packet of the peer: its acknowledgement first, then
    // its content. `number`: of the packet, nullopt if it is a mere
    // acknowledgement. `is_proven`: nobody else can have sent it.
    void on_received(std::optional<std::uint32_t> number, std::optional<std::uint32_t> acknowledged,
                     bool is_proven, TimePoint now);
    void on_echo_reply(std::uint32_t number, std::uint8_t id, TimePoint now);

    // nullopt: not yet known.
    [[nodiscard]] std::optional<Position> position(TimePoint now) const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // The peer has not answered for too long.
    [[nodiscard]] bool is_hopeless(TimePoint now) const;

  private:
    static constexpr int kRungs = 8;

    // What the peer has sent about a rung.
    struct Answer {
        std::optional<std::uint32_t> number;  // The first packet with an answer.
        // The first packet that acknowledges this rung or a higher one.
        std::optional<std::uint32_t> acknowledged_by;
        bool is_acknowledged_apart = false;  // By a packet without a number.
        bool is_own = false;                 // A number of this rung was acknowledged.
    };

    [[nodiscard]] std::uint32_t number_of(int rung, int copy) const;
    // The highest number that was sent.
    [[nodiscard]] std::uint32_t highest_number(int rung) const;
    [[nodiscard]] std::uint8_t id_of(int rung) const;
    [[nodiscard]] bool was_emitted(int rung) const;
    // Answered by a peer that has accepted its number.
    [[nodiscard]] bool counts(const Answer& answer) const;
    [[nodiscard]] std::optional<int> lowest() const;
    void begin(TimePoint now);
    void emit(int rung, int copy, std::vector<Rung>& rungs);
    void emit_next_rung(TimePoint now, std::vector<Rung>& rungs);
    [[nodiscard]] Duration rung_wait() const;
    [[nodiscard]] Duration rung_pause() const;
    void note(std::optional<std::uint32_t> number, std::uint32_t acknowledged);
    void judge(TimePoint now);
    void on_refused(TimePoint now);

    bool acknowledges_;
    std::uint8_t tenure_;
    std::uint32_t base_;
    std::uint32_t top_;  // The highest number that was sent, here or before.
    TimePoint begun_;
    TimePoint next_;
    TimePoint zero_at_{};  // Rung 0 was sent first.
    std::optional<Duration> path_;
    std::uint64_t acknowledged_ = 0;  // Missed packets that are known by now.
    std::uint8_t restarts_ = 0;
    bool on_rungs_ = false;  // Not on rung 0 any more.
    // Rung by rung: the one that is probed.
    std::optional<int> single_;
    // Sent: copies of it or of rung 0; of all rungs those of this attempt.
    int copies_ = 0;
    int attempts_ = 0;  // Of this range.
    std::uint32_t range_ = 0;
    bool received_ = false;  // Since the last attempt.
    std::array<Answer, kRungs + 1> answers_{};
    std::optional<TimePoint> suspected_;  // The one rung was answered and does not count.
    std::optional<TimePoint> answered_;   // A rung counts.
};

}  // namespace vpnha::pptp
