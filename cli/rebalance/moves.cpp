// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/rebalance/moves.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::cli::rebalance {

namespace {

// A column is a place on a node: its first one is free of charge, each further one costs one step
// more, so the cheapest assignment is the most even one. Moves come second, sessions third.
using Cost = std::int64_t;
constexpr Cost kSessionsMax = Cost{1} << 20;  // Of a gateway: more make no difference.
constexpr Cost kMove = Cost{1} << 29;         // More than all sessions.
constexpr Cost kStep = Cost{1} << 38;         // More than all moves.
constexpr Cost kForbidden = Cost{1} << 57;    // More than an assignment that is allowed.
constexpr Cost kUnbounded = std::numeric_limits<Cost>::max();

constexpr Cost kGateways{limits::kGatewaysMax};
static_assert(kGateways * kSessionsMax < kMove);
static_assert(kGateways * (kMove + kSessionsMax) < kStep);
static_assert(kGateways * kGateways * kStep < kForbidden);

using Costs = std::vector<std::vector<Cost>>;

// The assignment of rows to columns, of which there are at least as many, with the least sum of
// costs: the Hungarian method. Rows are added one by one; potentials of rows and columns keep each
// reduced cost at least 0. Row and column 0 stand for none.
class Assignment {
  public:
    explicit Assignment(const Costs& costs)
        : costs_(costs),
          columns_(costs.front().size()),
          of_row_(costs.size() + 1),
          of_column_(columns_ + 1),
          row_at_(columns_ + 1) {
        for (std::size_t row = 1; row <= costs.size(); ++row) {
            add(row);
        }
    }

    // By row, from 0.
    [[nodiscard]] std::vector<std::size_t> columns() const {
        std::vector<std::size_t> found(costs_.size());
        for (std::size_t column = 1; column <= columns_; ++column) {
            if (row_at_[column] != 0) {
                found[row_at_[column] - 1] = column - 1;
            }
        }
        return found;
    }

  private:
    // By the cheapest path to a free column. The rows on it change their columns.
    void add(std::size_t row) {
        std::vector<Cost> least(columns_ + 1, kUnbounded);
        std::vector<std::size_t> before(columns_ + 1);
        std::vector<bool> is_done(columns_ + 1);
        row_at_[0] = row;
        std::size_t column = 0;
        while (row_at_[column] != 0) {
            is_done[column] = true;
            column = extend(column, least, before, is_done);
        }
        while (column != 0) {
            row_at_[column] = row_at_[before[column]];
            column = before[column];
        }
    }

    // Returns the nearest column that is not done.
    std::size_t extend(std::size_t from, std::vector<Cost>& least, std::vector<std::size_t>& before,
                       const std::vector<bool>& is_done) {
        const std::size_t row = row_at_[from];
        Cost step = kUnbounded;
        std::size_t nearest = 0;
        for (std::size_t column = 1; column <= columns_; ++column) {
            if (is_done[column]) {
                continue;
            }
            const Cost reduced = costs_[row - 1][column - 1] - of_row_[row] - of_column_[column];
            if (reduced < least[column]) {
                least[column] = reduced;
                before[column] = from;
            }
            if (least[column] < step) {
                step = least[column];
                nearest = column;
            }
        }
        for (std::size_t column = 0; column <= columns_; ++column) {
            if (is_done[column]) {
                of_row_[row_at_[column]] += step;
                of_column_[column] -= step;
            } else {
                least[column] -= step;
            }
        }
        return nearest;
    }

    const Costs& costs_;
    std::size_t columns_;
    std::vector<Cost> of_row_;
    std::vector<Cost> of_column_;
    std::vector<std::size_t> row_at_;  // By column.
};

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

Cost cost_of(const Served& gateway, const std::string& node) {
    if (gateway.node == node) {
        return 0;
    }
    if (!has(gateway.standbys, node)) {
        return kForbidden;
    }
    return kMove +
           static_cast<Cost>(std::min(gateway.sessions, static_cast<std::uint64_t>(kSessionsMax)));
}

// Of each gateway on each place of each node: as many places on a node as there are gateways.
Costs costs_of(const std::vector<Served>& gateways, const std::vector<std::string>& nodes) {
    Costs costs;
    for (const Served& gateway : gateways) {
        std::vector<Cost>& row = costs.emplace_back();
        for (const std::string& node : nodes) {
            const Cost cost = cost_of(gateway, node);
            for (std::size_t place = 0; place < gateways.size(); ++place) {
                row.push_back(cost == kForbidden ? cost : cost + static_cast<Cost>(place) * kStep);
            }
        }
    }
    return costs;
}

}  // namespace

std::vector<Move> moves_to_even(std::vector<Served> gateways, std::vector<std::string> nodes) {
    std::erase_if(gateways, [&](const Served& gateway) { return !has(nodes, gateway.node); });
    if (gateways.empty()) {
        return {};
    }
    std::ranges::sort(gateways, {}, &Served::name);
    std::ranges::sort(nodes);
    const Costs costs = costs_of(gateways, nodes);
    const std::vector<std::size_t> columns = Assignment(costs).columns();
    std::vector<Move> moves;
    for (std::size_t row = 0; row < gateways.size(); ++row) {
        const Served& gateway = gateways[row];
        const std::string& node = nodes[columns[row] / gateways.size()];
        if (node != gateway.node) {
            moves.push_back({gateway.name, gateway.node, node, gateway.sessions});
        }
    }
    std::ranges::sort(moves, {},
                      [](const Move& move) { return std::tuple(move.sessions, move.gateway); });
    return moves;
}

}  // namespace vpnha::cli::rebalance
