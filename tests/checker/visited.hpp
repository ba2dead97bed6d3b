// SPDX-License-Identifier: GPL-2.0-or-later
// Which prints were there before.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "checker/prints.hpp"

namespace vpnha::checker {

// Open addressing, in a table that doubles.
class Visited {
  public:
    // False when it was there before.
    bool insert(const Print& print) {
        if (4 * (size_ + 1) > 3 * slots_.size()) {
            grow();
        }
        if (!put(slots_, print)) {
            return false;
        }
        ++size_;
        return true;
    }
    [[nodiscard]] bool contains(const Print& print) const {
        std::size_t at = print.a & (slots_.size() - 1);
        while (slots_[at] != Print{} && slots_[at] != print) {
            at = (at + 1) & (slots_.size() - 1);
        }
        return slots_[at] == print;
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    static bool put(std::vector<Print>& slots, const Print& print) {
        std::size_t at = print.a & (slots.size() - 1);
        while (slots[at] != Print{}) {
            if (slots[at] == print) {
                return false;
            }
            at = (at + 1) & (slots.size() - 1);
        }
        slots[at] = print;
        return true;
    }
    void grow() {
        std::vector<Print> slots(2 * slots_.size());
        for (const Print& print : slots_) {
            if (print != Print{}) {
                put(slots, print);
            }
        }
        slots_ = std::move(slots);
    }

    std::vector<Print> slots_ = std::vector<Print>(1U << 16U);
    std::uint64_t size_ = 0;
};

}  // namespace vpnha::checker
