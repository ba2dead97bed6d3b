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
    // In all epochs of unknown length, over a counter's whole life.
    std::uint64_t per_epoch = 0;
};

// A record's state of a counter.
struct Emitted {
    // The epoch of the record, and the number to use next.
    Epoch in;
    std::uint64_t number = 0;
    // The number of the epoch in which the counter began at 0.
    std::uint64_t born = 0;
};

struct Margin {
    // The epoch that begins.
    Epoch granted;
    // The age of the records, in time during which numbers were used; zero: they are exact.
    // nullopt: unknown.
    std::optional<Duration> run_on;

    // How far the next number is beyond the record's.
    [[nodiscard]] std::uint64_t beyond(const Emitted& emitted, const NumberUse& use) const;
};

}  // namespace vpnha::keepers
