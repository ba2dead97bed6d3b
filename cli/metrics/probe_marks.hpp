// SPDX-License-Identifier: GPL-2.0-or-later
// The results of ocf:vpnha:probe for the services on this node. Pacemaker's attributes have the
// same, but only users with access to Pacemaker can read them.
#pragma once

#include <string>
#include <vector>

#include "host/services/probe_verdicts.hpp"

namespace vpnha::cli {

struct ProbeMark {
    std::string gateway{};
    bool is_dead = false;
};

// Of each gateway that is probed and whose service's state is known.
[[nodiscard]] std::vector<ProbeMark> read_probe_marks(
    const std::string& directory = adapters::kProbeVerdicts);

}  // namespace vpnha::cli
