// SPDX-License-Identifier: GPL-2.0-or-later
// Which gateways `vpnha rebalance` moves, and where to. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vpnha::cli::rebalance {

// A gateway that a node serves.
struct Served {
    std::string name;
    std::string node;                   // The promoted one.
    std::vector<std::string> standbys;  // The nodes that can have it now.
    std::uint64_t sessions = 0;
};

struct Move {
    std::string gateway;
    std::string from;
    std::string to;
    std::uint64_t sessions = 0;

    bool operator==(const Move&) const = default;
};

// The least number of moves after which the gateways are spread over `nodes` as evenly as their
// standbys allow: where each node can have each gateway, the counts of two nodes differ by at most
// one. Among as few moves those of the gateways with the fewest sessions. The result depends on no
// order of the input. A gateway on a node that is not among `nodes` neither counts nor moves. The
// moves come in the order of their sessions, then of their names. At most kGatewaysMax gateways.
[[nodiscard]] std::vector<Move> moves_to_even(std::vector<Served> gateways,
                                              std::vector<std::string> nodes);

}  // namespace vpnha::cli::rebalance
