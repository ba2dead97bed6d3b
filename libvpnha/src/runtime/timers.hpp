// SPDX-License-Identifier: GPL-2.0-or-later
// The names of the daemon's timers on its loop.
#pragma once

namespace vpnha::runtime {

inline constexpr int kNodeTimer = 1;   // The node's next deadline.
inline constexpr int kGroupTimer = 2;  // Flow control: try the group again.
inline constexpr int kScoreTimer = 3;  // A promotion score that could not be written.
inline constexpr int kEndTimer = 4;    // The loop ends at its next turn.

}  // namespace vpnha::runtime
