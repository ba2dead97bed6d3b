// SPDX-License-Identifier: GPL-2.0-or-later
// What can be looked at without starting a daemon.
#include "adapters/gate.hpp"
#include "config/config.hpp"
#include "runtime/clock_rate.hpp"
#include "vpnha/daemon.hpp"

namespace vpnha {

Result<void> check_config(const std::string& config_file) {
    return config::load(config_file).map([](const config::Config&) {});
}

Result<void> check_kernel() {
    return adapters::probe_gate();
}

Result<std::string> check_clock() {
    return runtime::check_clock_rate();
}

}  // namespace vpnha
