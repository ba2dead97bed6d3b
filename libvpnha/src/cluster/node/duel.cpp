// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/node/duel.hpp"

namespace vpnha::node {

TimePoint asks_for_marks_at(const Duel& duel, Duration patience) {
    const bool goes_first = duel.own > duel.theirs ||
                            (duel.own > 0 && duel.own == duel.theirs && duel.self < duel.other);
    return goes_first || !duel.is_answered ? TimePoint{} : duel.lost_at + patience;
}

}  // namespace vpnha::node
