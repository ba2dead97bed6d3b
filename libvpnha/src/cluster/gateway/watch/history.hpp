// SPDX-License-Identifier: GPL-2.0-or-later
// Since when this node has its role, and how it came to serve last: for the operator. Pure.
//
// A takeover begins when this node asks for the lease. Its phases are the steps of takeover.hpp, in
// their order, each until the next one begins. Clients are served again when the gate is open; what
// follows is in it all the same. One whose gate was never open is forgotten.
//
// The silence counts from the last word of the former holder that this node had as a voter: a
// round, or that its gate is shut. It is too long by a renewal interval at most, and by what a
// datagram of that node took less.
//
// Who has served is known from the rounds of the lease, which each voter receives: the last
// kHoldersMax nodes, with the time of the first round of each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/lease/messages.hpp"
#include "cluster/takeover/takeover.hpp"

namespace vpnha::node {

class History {
  public:
    // A move a day for a month.
    static constexpr std::size_t kHoldersMax = 32;

    struct Holder {
        Epoch epoch;  // Its newest one.
        TimePoint since{};
        friend bool operator==(const Holder&, const Holder&) = default;
    };
    struct Takeover {
        TimePoint at{};  // The gate was open.
        Epoch epoch;
        std::optional<NodeId> from;  // Who held the lease before; nullopt: nobody was heard.
        std::optional<Duration> silence;
        std::vector<std::pair<takeover::Step, Duration>> phases;
    };

    // After every event. `role` is a literal.
    void note_role(std::string_view role, TimePoint now);
    // After every event: so many sessions have records.
    void note_records(std::size_t count) { records_peak_ = std::max(records_peak_, count); }
    // Of the lease, from another node.
    void on_message(const lease::Sender& sender, const lease::Message& message, TimePoint now);
    // That step is handed out, or this standby asks for the lease (Step::grant).
    void on_step(takeover::Step step, TimePoint now);
    void on_opened(const Epoch& epoch, TimePoint now);
    // The transition is over.
    void on_finished(TimePoint now);

    [[nodiscard]] TimePoint role_since() const { return role_since_; }
    // nullopt: it has not served.
    [[nodiscard]] const std::optional<Takeover>& last() const { return last_; }
    // Times at which its gate was opened.
    [[nodiscard]] std::uint64_t takeovers() const { return takeovers_; }
    [[nodiscard]] std::size_t records_peak() const { return records_peak_; }
    // The oldest first; neighbours are two nodes.
    [[nodiscard]] const std::deque<Holder>& holders() const { return holders_; }

  private:
    struct Word {
        Epoch epoch;
        TimePoint at{};
    };
    struct Running {
        Takeover takeover;
        takeover::Step step{};
        TimePoint step_at{};
    };

    void note_word(const Epoch& epoch, TimePoint now);
    void note_holder(const Epoch& epoch, TimePoint now);
    void end_phase(TimePoint now);

    std::string_view role_;
    TimePoint role_since_{};
    std::optional<Word> word_;  // Of the newest holder, this node's own as well.
    std::optional<Running> running_;
    std::optional<Takeover> last_;
    std::uint64_t takeovers_ = 0;
    std::size_t records_peak_ = 0;
    std::deque<Holder> holders_;
};

}  // namespace vpnha::node
