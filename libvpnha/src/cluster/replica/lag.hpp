// SPDX-License-Identifier: GPL-2.0-or-later
// The age of the oldest change that a standby has not confirmed. Pure. For the promoted node.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.hpp"

namespace vpnha::replica {

class Lag {
  public:
    // Changes are numbered anew.
    void clear() { *this = {}; }
    // Changes up to that one have been sent to the group by now.
    void on_sent(std::uint64_t sequence, TimePoint now) {
        if (sequence <= newest_) {
            return;
        }
        newest_ = sequence;
        if (sent_.size() < kSentMax) {
            sent_.push_back({sequence, now});
        } else {
            sent_.back().sequence = sequence;  // Counted as older than it is.
        }
    }
    // By all standbys that are in sync.
    void on_confirmed(std::uint64_t sequence) {
        while (!sent_.empty() && sent_.front().sequence <= sequence) {
            sent_.pop_front();
        }
    }
    // When the oldest one was sent; nullopt: all are confirmed.
    [[nodiscard]] std::optional<TimePoint> since() const {
        return sent_.empty() ? std::nullopt : std::optional(sent_.front().at);
    }

  private:
    // Messages that standbys have not confirmed: far more than are under way at once.
    static constexpr std::size_t kSentMax = 256;
    struct Sent {
        std::uint64_t sequence = 0;
        TimePoint at{};
    };
    std::deque<Sent> sent_;
    std::uint64_t newest_ = 0;
};

}  // namespace vpnha::replica
