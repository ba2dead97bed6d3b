// SPDX-License-Identifier: GPL-2.0-or-later
// This machine's values of the table of tuning, in the network namespace of the calling thread.
// Root is needed only to see daemons of others.
#pragma once

#include <string>

#include "tuning/table.hpp"

namespace vpnha::adapters {

struct TuningRoots {
    std::string proc = "/proc";
    std::string sys = "/sys";
    std::string modules = "/lib/modules";
};

[[nodiscard]] tuning::Machine read_tuning(const tuning::Table& table, const tuning::Demand& demand,
                                          const TuningRoots& roots = {});

}  // namespace vpnha::adapters
