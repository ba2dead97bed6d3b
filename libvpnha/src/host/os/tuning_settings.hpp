// SPDX-License-Identifier: GPL-2.0-or-later
// How this machine is set in what the table of tuning names, in the network namespace of the
// calling thread. Nobody has to be root for it, but to see daemons of others.
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
