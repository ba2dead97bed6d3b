// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/tables.hpp"

#include <algorithm>
#include <iterator>

#include "protocols/ipsec/table.hpp"
#include "protocols/l2tp/table.hpp"
#include "protocols/pptp/table.hpp"

namespace vpnha {

namespace {

struct Protocol {
    const config::Protocol& table;
    tuning::Table (*tuning_rows)();
    std::vector<MetricRow> (*metric_rows)();
};
template <class Table>
constexpr Protocol kOf{Table::kProtocol, &Table::tuning_rows, &Table::metric_rows};

// In the order of vpnha.toml.
constexpr Protocol kProtocols[] = {kOf<l2tp::Table>, kOf<pptp::Table>, kOf<ipsec::Table>};

// What `rows` of each protocol gives.
template <class Row>
std::vector<Row> all_of(std::vector<Row> (*Protocol::*rows)()) {
    std::vector<Row> all;
    for (const Protocol& each : kProtocols) {
        std::ranges::move((each.*rows)(), std::back_inserter(all));
    }
    return all;
}

}  // namespace

const config::Schema& config::schema() {
    static const Schema kSchema = [] {
        std::vector<const config::Protocol*> tables;
        std::ranges::transform(kProtocols, std::back_inserter(tables),
                               [](const vpnha::Protocol& each) { return &each.table; });
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
    static const Table kTable = table_with(all_of(&Protocol::tuning_rows));
    return kTable;
}

std::vector<MetricRow> protocol_metrics() {
    return all_of(&Protocol::metric_rows);
}

}  // namespace vpnha
