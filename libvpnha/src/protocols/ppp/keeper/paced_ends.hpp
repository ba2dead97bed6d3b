// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that this node has taken over and cannot resume. They end at a limited rate: their
// clients dial again at once, and each of them is authenticated. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "base/burst.hpp"

namespace vpnha::keepers {

template <class Key>
class PacedEnds {
  public:
    // `per_second` is at least 1.
    explicit PacedEnds(std::uint32_t per_second) : pace_(Burst::per_second(per_second)) {}

    void add(const Key& key) { keys_.insert(key); }
    void erase(const Key& key) { keys_.erase(key); }
    void clear() { keys_.clear(); }
    // Removes and returns all.
    [[nodiscard]] std::set<Key> take_all() { return std::exchange(keys_, {}); }

    // Removes and returns the next one that ends now.
    [[nodiscard]] std::optional<Key> take(TimePoint now) {
        if (keys_.empty() || !pace_.take(now)) {
            return std::nullopt;
        }
        const Key first = *keys_.begin();
        keys_.erase(keys_.begin());
        return first;
    }
    // When the next call of take() can succeed.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const {
        return keys_.empty() ? std::nullopt : std::optional(pace_.next());
    }

  private:
    std::set<Key> keys_;
    Burst pace_;
};

}  // namespace vpnha::keepers
