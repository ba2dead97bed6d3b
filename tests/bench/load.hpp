// SPDX-License-Identifier: GPL-2.0-or-later
// The writer's side of a run, one phase after the other:
//
//   gathering  until all members are there and their replicas complete
//   loading    every record once, until every standby has confirmed it
//   running    updates for the given time: as many as go through (flood), or at a rate (paced,
//   join) draining   until every standby has confirmed everything
//
// A run in which a member was lost is none: it ends at once, and says so. When the load has
// finished the writer stays until SIGTERM: the standbys end when it leaves, and their CPU is still
// to be read.
//
// The latency of an update counts from the moment it was due, not from when the program got round
// to it, so that a stall is seen in every update that it delayed.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "latencies.hpp"
#include "party.hpp"

namespace vpnha::bench {

enum class Mode { flood, paced, join };

struct LoadOptions {
    Mode mode = Mode::flood;
    std::size_t members = 3;
    std::uint32_t records = 10'000;
    std::uint32_t rate = 5'000;  // Updates a second; not for a flood.
    Duration length = std::chrono::seconds(5);
};

// One line for the driver.
void emit(const nlohmann::json& line);
[[nodiscard]] nlohmann::json json_of(const Contents& contents);

class Load {
  public:
    Load(adapters::QbLoop& loop, const LoadOptions& options) : loop_(loop), options_(options) {}

    // The party must outlive the load.
    void start(Party& party);
    void on_members(const std::set<NodeId>& members);
    void on_news();
    [[nodiscard]] bool finished() const { return finished_; }

  private:
    enum class Phase { gathering, loading, running, draining };
    struct Sample {
        std::uint32_t record = 0;
        TimePoint due;
    };

    void tick();
    void load();
    void run(TimePoint now);
    // As many updates as there is room for; false: none.
    bool flood();
    [[nodiscard]] std::size_t room() const;
    void publish_next(TimePoint due);
    void collect(TimePoint now);
    void watch_joiner(TimePoint now);
    [[nodiscard]] bool is_over(TimePoint now) const;
    void report(TimePoint now);

    adapters::QbLoop& loop_;
    LoadOptions options_;
    Party* party_ = nullptr;
    Phase phase_ = Phase::gathering;
    bool finished_ = false;
    std::set<NodeId> members_;
    bool is_broken_ = false;  // A member was lost while it was measured.
    std::uint32_t next_ = 0;
    std::uint32_t generation_ = 0;
    std::uint64_t published_ = 0;
    TimePoint began_;
    TimePoint stopped_;
    std::uint64_t messages_before_ = 0;
    std::uint64_t bytes_before_ = 0;
    std::deque<Sample> unconfirmed_;
    Latencies latencies_;
    Latencies latencies_of_join_;
    std::optional<NodeId> joiner_;
    std::optional<TimePoint> joiner_came_;
    std::optional<TimePoint> joiner_complete_;
};

}  // namespace vpnha::bench
