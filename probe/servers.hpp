// SPDX-License-Identifier: GPL-2.0-or-later
// What a probe of each protocol does, with random numbers of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// What can be asked, as the command line calls it.
[[nodiscard]] std::vector<std::string> servers();
// Whether it may have another port than its own.
[[nodiscard]] bool takes_port(std::string_view protocol);
// Whether it needs a file with a secret.
[[nodiscard]] bool takes_secret(std::string_view protocol);
// Whether it may have a test account, and whether it cannot be asked without one.
[[nodiscard]] bool takes_account(std::string_view protocol);
[[nodiscard]] bool needs_account(std::string_view protocol);

// Of one of servers(). Never longer than the options' timeout, apart from the time for names.
[[nodiscard]] Outcome ask_server(const Options& options);

}  // namespace vpnha::probe
