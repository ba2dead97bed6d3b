// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "outbox.hpp"

namespace vpnha::bench {

namespace {

// A joiner is let in after so long, and watched for so long after it is complete.
constexpr Duration kCalm = std::chrono::seconds(1);

}  // namespace

void Load::start(Party& party) {
    party_ = &party;
    tick();
}

void Load::on_members(const std::set<NodeId>& members) {
    if (phase_ == Phase::running || phase_ == Phase::draining) {
        // Who comes back after a moment without a ring is complete at once, and is no joiner.
        is_broken_ = is_broken_ || !std::includes(members.begin(), members.end(), members_.begin(),
                                                  members_.end());
        for (const NodeId node : members) {
            if (!members_.contains(node) && !joiner_) {
                joiner_ = node;
                joiner_came_ = loop_.now();
            }
        }
    }
    members_ = members;
}

void Load::on_news() {
    if (phase_ == Phase::running || phase_ == Phase::draining) {
        collect(loop_.now());
    }
    // The ring is never left without work until the next tick.
    if (phase_ == Phase::running && options_.mode == Mode::flood && flood()) {
        party_->settle();
    }
}

void Load::tick() {
    const TimePoint now = loop_.now();
    switch (phase_) {
        case Phase::gathering:
            if (members_.size() == options_.members) {
                party_->lead();
                phase_ = Phase::loading;
            }
            break;
        case Phase::loading:
            load();
            break;
        case Phase::running:
            run(now);
            break;
        case Phase::draining:
            if (is_broken_ || party_->all_confirmed()) {
                collect(now);
                report(now);
                finished_ = true;
                return;
            }
            break;
    }
    party_->settle();
    loop_.set_timer(kLoadTimer, loop_.now() + kTurn, [this] { tick(); });
}

void Load::load() {
    while (generation_ == 0 && room() > 0) {
        publish_next(loop_.now());
    }
    unconfirmed_.clear();
    if (generation_ == 0 || !party_->all_confirmed()) {
        return;
    }
    phase_ = Phase::running;
    published_ = 0;
    messages_before_ = party_->messages_sent();
    bytes_before_ = party_->bytes_sent();
    began_ = loop_.now();
    emit({{"event", "begin"}});
}

void Load::run(TimePoint now) {
    if (is_over(now)) {
        phase_ = Phase::draining;
        stopped_ = now;
        return;
    }
    if (options_.mode == Mode::flood) {
        flood();
        return;
    }
    const Duration gap = std::chrono::nanoseconds(std::chrono::seconds(1)) / options_.rate;
    const auto due = static_cast<std::uint64_t>((now - began_) / gap);
    while (published_ < due && room() > 0) {
        publish_next(began_ + gap * static_cast<std::int64_t>(published_ + 1));
    }
    watch_joiner(now);
}

bool Load::flood() {
    const std::uint64_t before = published_;
    while (room() > 0) {
        publish_next(loop_.now());
    }
    return published_ != before;
}

// A record waits to be said once at most, so that every update is one on the wire.
std::size_t Load::room() const {
    return std::min<std::size_t>(party_->room(), options_.records - party_->waiting());
}

void Load::publish_next(TimePoint due) {
    if (options_.mode != Mode::flood) {
        unconfirmed_.push_back({next_, due});
    }
    party_->publish(next_, generation_);
    ++published_;
    if (++next_ == options_.records) {
        next_ = 0;
        ++generation_;
    }
}

void Load::collect(TimePoint now) {
    while (!unconfirmed_.empty() && party_->confirmed(unconfirmed_.front().record)) {
        const TimePoint due = unconfirmed_.front().due;
        const bool in_join =
            joiner_came_ && now >= *joiner_came_ && (!joiner_complete_ || due <= *joiner_complete_);
        (in_join ? latencies_of_join_ : latencies_).add(now - due);
        unconfirmed_.pop_front();
    }
    watch_joiner(now);
}

void Load::watch_joiner(TimePoint now) {
    if (joiner_ && !joiner_complete_ && party_->is_complete(*joiner_)) {
        joiner_complete_ = now;
    }
}

bool Load::is_over(TimePoint now) const {
    if (is_broken_) {
        return true;
    }
    if (options_.mode != Mode::join) {
        return now - began_ >= options_.length;
    }
    return joiner_complete_ && now - *joiner_complete_ >= kCalm;
}

void Load::report(TimePoint now) {
    const double seconds = to_ms(now - began_) / 1000;
    nlohmann::json line = {
        {"event", "end"},
        {"seconds", seconds},
        {"updates", published_},
        {"updates_per_s", static_cast<double>(published_) / seconds},
        {"drain_ms", to_ms(now - stopped_)},
        {"messages", party_->messages_sent() - messages_before_},
        {"bytes", party_->bytes_sent() - bytes_before_},
        {"unconfirmed", unconfirmed_.size()},
        {"members_lost", is_broken_},
        {"contents", json_of(party_->contents())},
        {"latency", latencies_.json()},
    };
    if (joiner_came_ && joiner_complete_) {
        line["join_ms"] = to_ms(*joiner_complete_ - *joiner_came_);
        line["latency_of_join"] = latencies_of_join_.json();
    }
    emit(line);
}

void emit(const nlohmann::json& line) {
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
}

nlohmann::json json_of(const Contents& contents) {
    return {{"records", contents.records}, {"digest", contents.digest}};
}

}  // namespace vpnha::bench
