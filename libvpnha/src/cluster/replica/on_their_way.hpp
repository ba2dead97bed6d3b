// SPDX-License-Identifier: GPL-2.0-or-later
// This node's own messages that the group has not delivered back yet. Pure. Only so many of each
// kind may be under way at once; changes in between are coalesced, so batches grow under load. Also
// the changes that standbys have not confirmed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/limits.hpp"
#include "cluster/replica/lag.hpp"
#include "cluster/wire/message.hpp"

namespace vpnha::replica {

class OnTheirWay {
  public:
    // While it is true, no message with records may be sent.
    void withhold_records(bool withheld) { withheld_ = withheld; }
    [[nodiscard]] bool withholds_records() const { return withheld_; }

    [[nodiscard]] bool takes_update() const {
        return !withheld_ && updates_ < limits::kUpdatesOnTheirWay;
    }
    // It has the changes above `base` up to `last`.
    void update_sent(std::uint64_t base, std::uint64_t last) {
        ++updates_;
        ranges_.emplace_back(base, last);
    }
    // `epoch`: this node's now.
    void update_came(const wire::Update& own, const Epoch& epoch) {
        if (updates_ == 0) {
            return;
        }
        --updates_;
        // The sender does not parse its own changes again.
        const auto range = std::find_if(ranges_.begin(), ranges_.end(), [&own](const auto& each) {
            return each.first == own.base;
        });
        if (own.epoch == epoch && range != ranges_.end()) {
            delivered_ = range->second;
            ranges_.erase(ranges_.begin(), range + 1);
        }
    }
    // Changes are numbered anew. Messages under way still come back.
    void begin_epoch() {
        delivered_ = 0;
        ranges_.clear();
        lag_.clear();
    }
    // Of this epoch's changes.
    [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
    [[nodiscard]] Lag& lag() { return lag_; }
    [[nodiscard]] const Lag& lag() const { return lag_; }

    [[nodiscard]] bool takes_chunk() const {
        return !withheld_ && chunks_ < limits::kChunksOnTheirWay;
    }
    void chunk_sent() { ++chunks_; }
    void chunk_came() { chunks_ -= chunks_ > 0 ? 1 : 0; }

    [[nodiscard]] bool takes_confirm() const { return !confirm_; }
    void confirm_sent() { confirm_ = true; }
    void confirm_came() { confirm_ = false; }

  private:
    std::size_t updates_ = 0;
    // Of this epoch: the last change before each of them, and its own last change.
    std::deque<std::pair<std::uint64_t, std::uint64_t>> ranges_;
    std::uint64_t delivered_ = 0;
    Lag lag_;
    std::size_t chunks_ = 0;
    bool confirm_ = false;
    bool withheld_ = false;
};

}  // namespace vpnha::replica
