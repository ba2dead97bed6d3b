// SPDX-License-Identifier: GPL-2.0-or-later
// Learns how far a peer has come in a stream of GRE numbers, of which the last ones are unknown
// here. An LCP Echo-Request under a number is answered only if that number is new to the peer; LCP
// is never encrypted, so this costs no key of MPPE.
//
//   rung 0        the number behind the last known one: answered, when nothing was missed
//   rungs 1 to 8  512 numbers apart, at once, unless rung 0 is answered within 60 ms or twice the
//                 path's time, 300 ms when nobody knows that; the lowest that is answered is ahead
//                 of the peer by less than 512
//   again         the same three times, then the next 4 096 numbers, while the peer is heard
//
// Each rung is said three times, under numbers of its own: a lost one must not look like one that
// was refused. An acknowledgement beyond what is known moves the whole ladder up, by 65 536 in sum,
// if it has come with something that only the peer can have sent.
//
// A rung counts when it is answered and acknowledged. Of a peer that never acknowledges, as the
// PPTP of Android up to 11 (drivers/net/ppp/pppopns.c), an answer is enough: it drops old numbers.
// Linux' own PPTP answers LCP under old numbers as well: it is asked rung by rung, because what it
// acknowledges would not tell which of many it took. pptp-linux holds what follows a gap for 0.3 s:
// it is asked at once.
//
// A rung may have a number that was used before, by a node that died after its last words: the peer
// has dropped it then. What follows has numbers that the peer has not taken. On rung 0 some of them
// may have been sent before, and lost: a jump would cost 0.3 s. An MPPE index has a lead instead.
#pragma once

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
        std::uint32_t next = 0;  // The number that goes on.
        // So many packets at most were sent behind the last known one.
        std::uint64_t missed = 0;
        int rung = 0;
        Duration took{};
    };

    // `last`: the last number known to have been sent. `acknowledges`: the peer does so at times.
    // `tenure`: of two that follow each other it differs, so that a late answer to the rungs of the
    // one counts for nothing at the other.
    Ladder(std::uint32_t last, bool acknowledges, std::uint8_t tenure, TimePoint now)
        : acknowledges_(acknowledges),
          tenure_(tenure),
          base_(last),
          top_(last),
          begun_(now),
          next_(now) {}

    // What is to be sent now.
    [[nodiscard]] std::vector<Rung> on_time(TimePoint now);
    // Of the path there and back.
    void on_path(Duration time, TimePoint now);
    // Of a packet of the peer first its acknowledgement, then what is in it. `is_proven`: nobody
    // else can have sent it.
    void on_heard(std::optional<std::uint32_t> acknowledged, bool is_proven, TimePoint now);
    void on_echo_reply(std::uint8_t id, TimePoint now);

    // nullopt: not yet known.
    [[nodiscard]] std::optional<Position> position(TimePoint now) const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    // The peer has not answered for too long.
    [[nodiscard]] bool is_hopeless(TimePoint now) const;

  private:
    [[nodiscard]] std::uint32_t number_of(int rung, int copy) const;
    [[nodiscard]] std::uint8_t id_of(int rung) const;
    void begin(TimePoint now);
    void say(int rung, int copy, std::vector<Rung>& rungs);
    void say_all(TimePoint now, std::vector<Rung>& rungs);
    [[nodiscard]] Duration rung_wait() const;
    void on_refused(int rung, TimePoint now);

    bool acknowledges_;
    std::uint8_t tenure_;
    std::uint32_t base_;
    std::uint32_t top_;  // The highest number that was sent, here or before.
    TimePoint begun_;
    TimePoint next_;
    TimePoint zero_at_{};  // Rung 0 was said first.
    std::optional<Duration> path_;
    std::uint64_t acknowledged_ = 0;  // Of those that were missed, these are known by now.
    std::uint8_t restarts_ = 0;
    bool on_rungs_ = false;  // Not on rung 0 any more.
    // Rung by rung: the one that is asked.
    std::optional<int> single_;
    int copies_ = 0;    // Of it, or of rung 0, sent.
    int attempts_ = 0;  // Of this range.
    std::uint32_t range_ = 0;
    bool heard_ = false;         // Since the last attempt.
    std::uint32_t refused_ = 0;  // Bits of rungs that were answered and not acknowledged.
    std::optional<std::uint32_t> covered_;  // The highest number of ours that was acknowledged.
    std::optional<int> lowest_;             // The lowest rung that was answered.
    TimePoint answered_{};
};

}  // namespace vpnha::pptp
