// SPDX-License-Identifier: GPL-2.0-or-later
// The one list of each protocol's part of vpnha.toml, of the tuning table and of the metrics, and
// of the least versions of its programs.
#pragma once

#include <vector>

#include "config/schema.hpp"
#include "protocols/list.hpp"
#include "tuning/program_version.hpp"
#include "tuning/table.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha {

struct ProtocolTable {
    const config::Protocol& table;
    tuning::Table (*tuning_rows)();
    std::vector<MetricRow> (*metric_rows)();
    std::vector<tuning::ProgramVersion> (*program_versions)();
};
// `Table` has kProtocol, and functions of these names; program_versions(), if it has programs.
template <class Table>
[[nodiscard]] ProtocolTable protocol_table_of() {
    ProtocolTable table{Table::kProtocol, &Table::tuning_rows, &Table::metric_rows,
                        [] { return std::vector<tuning::ProgramVersion>(); }};
    if constexpr (requires { &Table::program_versions; }) {
        table.program_versions = &Table::program_versions;
    }
    return table;
}

#define VPNHA_TABLE(protocol)                            \
    namespace protocol {                                 \
    [[nodiscard]] vpnha::ProtocolTable protocol_table(); \
    }
VPNHA_PROTOCOLS(VPNHA_TABLE)
#undef VPNHA_TABLE

}  // namespace vpnha

namespace vpnha::config {

[[nodiscard]] const Schema& schema();

[[nodiscard]] Result<Config> parse(std::string_view toml, std::string_view file_name);
[[nodiscard]] Result<Config> load(const std::string& path);

}  // namespace vpnha::config

namespace vpnha::tuning {

[[nodiscard]] const Table& table();
// Of the protocols' stock daemons.
[[nodiscard]] std::vector<ProgramVersion> program_versions();

}  // namespace vpnha::tuning
