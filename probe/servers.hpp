// SPDX-License-Identifier: GPL-2.0-or-later
// The probe of each protocol, with random numbers of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/options.hpp"
#include "probe/report.hpp"

namespace vpnha::probe {

// The protocols, as the command line names them.
[[nodiscard]] std::vector<std::string> servers();
// Whether another port than the standard one may be given.
[[nodiscard]] bool takes_port(std::string_view protocol);
// Whether it needs a file with a secret.
[[nodiscard]] bool takes_secret(std::string_view protocol);
// Whether it may have a test account, and whether it needs one.
[[nodiscard]] bool takes_account(std::string_view protocol);
[[nodiscard]] bool needs_account(std::string_view protocol);

// Of one of servers(). Takes at most the options' timeout, without the time for names.
[[nodiscard]] Outcome ask_server(const Options& options);

}  // namespace vpnha::probe
