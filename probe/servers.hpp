// SPDX-License-Identifier: GPL-2.0-or-later
// What a probe of each protocol does, with random numbers of its own.
#pragma once

#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// Never longer than the options' timeout, apart from the time for names.
[[nodiscard]] Outcome ask_server(const Options& options);

}  // namespace vpnha::probe
