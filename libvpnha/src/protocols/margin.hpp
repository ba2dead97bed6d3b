// SPDX-License-Identifier: GPL-2.0-or-later
// How far the numbers of a gateway may have run beyond the records that this node holds of them.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace vpnha::keepers {

// What one family's counter may use.
struct NumberUse {
    // In a second of the sender's clock.
    std::uint64_t per_second = 0;
    // In epochs of which nobody has told how long they lasted, all of a counter's life together.
    std::uint64_t per_epoch = 0;
};

// What a record says of a counter.
struct Said {
    // The epoch in which it said so, and the number that is used next.
    Epoch in;
    std::uint64_t number = 0;
    // The number of the epoch in which the counter began at 0.
    std::uint64_t born = 0;
};

struct Margin {
    // The epoch that begins.
    Epoch granted;
    // The records are so old, in the time in which numbers were used; zero: they are exact.
    // nullopt: nobody knows.
    std::optional<Duration> run_on;

    // How far the next number is beyond the record's.
    [[nodiscard]] std::uint64_t beyond(const Said& said, const NumberUse& use) const;
};

}  // namespace vpnha::keepers
