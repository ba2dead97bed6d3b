// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/os/log.hpp"
#include "services/flows/backend/conntrack_settings.hpp"

namespace vpnha::runtime {

bool replicates_flows(const config::Config& config) {
    return std::any_of(config.gateways.begin(), config.gateways.end(),
                       [](const config::Gateway& gateway) { return gateway.conntrack.replicate; });
}

std::vector<conntrack::Finding> find_in_conntrack(const config::Config& config,
                                                  const ReadConntrackSettings& read) {
    return replicates_flows(config) ? conntrack::check(read()) : std::vector<conntrack::Finding>{};
}

effects::Log log_of(const conntrack::Finding& finding) {
    const bool is_error = finding.severity == conntrack::Finding::Severity::error;
    return {is_error ? LogLevel::error : LogLevel::warning,
            fmt::format("{} event=conntrack", to_string(finding))};
}

void warn_of_conntrack_settings(const config::Config& config) {
    for (const conntrack::Finding& finding :
         find_in_conntrack(config, [] { return adapters::read_conntrack_settings(); })) {
        const effects::Log log = log_of(finding);
        adapters::write_log(log.level, log.text);
    }
}

}  // namespace vpnha::runtime
