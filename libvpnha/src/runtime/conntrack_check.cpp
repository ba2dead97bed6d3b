// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/conntrack_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/conntrack_settings.hpp"
#include "adapters/log.hpp"

namespace vpnha::runtime {

bool replicates_flows(const config::Config& config) {
    return std::any_of(config.gateways.begin(), config.gateways.end(),
                       [](const config::Gateway& gateway) { return gateway.conntrack.replicate; });
}

void warn_of_conntrack_settings(const config::Config& config) {
    if (!replicates_flows(config)) {
        return;
    }
    for (const conntrack::Finding& finding :
         conntrack::check(adapters::read_conntrack_settings())) {
        const bool is_error = finding.severity == conntrack::Finding::Severity::error;
        adapters::write_log(is_error ? node::Level::error : node::Level::warning,
                            fmt::format("{} event=conntrack", to_string(finding)));
    }
}

}  // namespace vpnha::runtime
