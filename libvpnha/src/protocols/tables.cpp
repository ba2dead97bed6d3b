// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/tables.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace vpnha {

namespace {

const auto& protocol_tables() {
#define VPNHA_TABLE(protocol) protocol::protocol_table(),
    static const auto kTables = std::to_array<ProtocolTable>({VPNHA_PROTOCOLS(VPNHA_TABLE)});
#undef VPNHA_TABLE
    return kTables;
}

// Concatenates the `rows` of each protocol.
template <class Row>
std::vector<Row> all_of(std::vector<Row> (*ProtocolTable::*rows)()) {
    std::vector<Row> all;
    for (const ProtocolTable& each : protocol_tables()) {
        std::ranges::move((each.*rows)(), std::back_inserter(all));
    }
    return all;
}

}  // namespace

const config::Schema& config::schema() {
    static const Schema kSchema = [] {
        std::vector<const config::Protocol*> tables;
        std::ranges::transform(protocol_tables(), std::back_inserter(tables),
                               [](const ProtocolTable& each) { return &each.table; });
        return Schema(std::move(tables));
    }();
    return kSchema;
}

Result<config::Config> config::parse(std::string_view toml, std::string_view file_name) {
    return parse(toml, file_name, schema());
}

Result<config::Config> config::load(const std::string& path) {
    return load(path, schema());
}

const tuning::Table& tuning::table() {
    static const Table kTable = table_with(all_of(&ProtocolTable::tuning_rows));
    return kTable;
}

std::vector<tuning::ProgramVersion> tuning::program_versions() {
    return all_of(&ProtocolTable::program_versions);
}

std::vector<MetricRow> protocol_metrics() {
    return all_of(&ProtocolTable::metric_rows);
}

}  // namespace vpnha
