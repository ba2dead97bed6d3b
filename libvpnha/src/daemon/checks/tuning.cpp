// SPDX-License-Identifier: GPL-2.0-or-later
#include "vpnha/tuning.hpp"

#include "host/addresses/each_network.hpp"
#include "host/os/tuning_settings.hpp"
#include "protocols/tables.hpp"
#include "tuning/texts.hpp"

namespace vpnha {

std::vector<TuningRow> tuning_table() {
    std::vector<TuningRow> rows;
    for (const tuning::Row& row : tuning::table()) {
        rows.push_back({.name = row.name,
                        .wanted = to_string(row.wanted),
                        .is_must = row.weight == tuning::Weight::must,
                        .how = row.how,
                        .why = row.why});
    }
    return rows;
}

std::string tuning_sysctls() {
    return tuning::to_sysctl_file(tuning::table());
}

std::string tuning_manual() {
    return tuning::to_markdown(tuning::table());
}

Result<TuningCheck> check_tuning(const std::string& config_file) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    TuningCheck check;
    VPNHA_CHECK(adapters::in_each_network(
        config, [&check](const config::Config& part, const std::string& where) -> Result<void> {
            tuning::Demand demand = tuning::demand_of(part);
            if (!where.empty()) {
                demand.devices.clear();  // /sys has the host's.
            }
            const tuning::Findings findings = tuning::check(
                tuning::table(), demand, adapters::read_tuning(tuning::table(), demand));
            for (const conntrack::Finding& finding : findings.list) {
                check.findings.push_back({finding.severity == conntrack::Finding::Severity::error,
                                          where + to_string(finding)});
            }
            for (const std::string& name : findings.unread) {
                check.unread.push_back(where + name);
            }
            return {};
        }));
    return check;
}

}  // namespace vpnha
