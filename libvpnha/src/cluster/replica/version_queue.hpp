// SPDX-License-Identifier: GPL-2.0-or-later
// Versions that wait for the kernel: a set for versions that nearly always come and leave in order.
// A tree takes two allocations and two walks for each of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>

#include "cluster/wire/message.hpp"

namespace vpnha::replica {

class VersionQueue {
  public:
    void insert(const wire::Version& version) {
        if (queue_.empty() || queue_.back().version < version) {
            queue_.push_back({version});
        } else if (Entry* const held = find(version)) {
            gone_ -= held->gone ? 1 : 0;
            held->gone = false;
        } else {
            late_.insert(version);
        }
    }

    void erase(const wire::Version& version) {
        Entry* const held = find(version);
        if (held == nullptr) {
            late_.erase(version);
            return;
        }
        gone_ += held->gone ? 0 : 1;
        held->gone = true;
        while (!queue_.empty() && queue_.front().gone) {
            queue_.pop_front();
            --gone_;
        }
        if (gone_ > kGoneMax && gone_ > queue_.size() / 2) {  // After one that stays.
            std::erase_if(queue_, [](const Entry& entry) { return entry.gone; });
            gone_ = 0;
        }
    }

    void clear() {
        queue_.clear();
        gone_ = 0;
        late_.clear();
    }

    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return queue_.size() - gone_ + late_.size(); }
    // The lowest.
    [[nodiscard]] std::optional<wire::Version> first() const {
        std::optional<wire::Version> first;
        if (!queue_.empty()) {
            first = queue_.front().version;
        }
        if (!late_.empty() && (!first || *late_.begin() < *first)) {
            first = *late_.begin();
        }
        return first;
    }

  private:
    struct Entry {
        wire::Version version;
        bool gone = false;
    };
    static constexpr std::size_t kGoneMax = 1024;

    [[nodiscard]] Entry* find(const wire::Version& version) {
        if (queue_.empty() || queue_.back().version < version) {
            return nullptr;
        }
        const auto found = queue_.front().version == version
                               ? queue_.begin()
                               : std::ranges::lower_bound(queue_, version, {}, &Entry::version);
        return found->version == version ? &*found : nullptr;
    }

    std::deque<Entry> queue_;  // In order; the front is never one that has gone.
    std::size_t gone_ = 0;     // In it.
    std::set<wire::Version> late_;
};

}  // namespace vpnha::replica
