// SPDX-License-Identifier: GPL-2.0-or-later
// The state of an outgoing link between two checks: the file `state` of its directory. Its start,
// the programs that pppd calls, and a monitor that finds it gone without a report write the file.
// It exists from start to stop, and not after a reboot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct PppLinkState {
    bool is_up = false;
    TimePoint since{};           // CLOCK_BOOTTIME: when it came up or was lost, or was started.
    std::uint32_t times_up = 0;  // Since its start; each but the first is a redial.

    friend bool operator==(const PppLinkState&, const PppLinkState&) = default;
};

// nullopt: the link was not started, or is being stopped.
[[nodiscard]] std::optional<PppLinkState> read_ppp_link_state(const std::string& directory);
// For a link that is started now.
Result<void> begin_ppp_link_state(const std::string& directory, TimePoint now);
// The state before and after the change. Nullopt, and no write, when there is none, or when the
// state has the change already.
struct PppLinkChange {
    PppLinkState before;
    PppLinkState after;
};
Result<std::optional<PppLinkChange>> note_ppp_link(const std::string& directory, bool is_up,
                                                   TimePoint now);
void end_ppp_link_state(const std::string& directory);

}  // namespace vpnha::adapters
