// SPDX-License-Identifier: GPL-2.0-or-later
// Two whole nodes, of which node 1 is promoted and carries session 1; with a witness, or without.
#pragma once

#include <gtest/gtest.h>

#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {

inline FakeCluster pair_of_nodes(bool stand_in = true) {
    FakeCluster cluster(2, 2, stand_in);
    EXPECT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    return cluster;
}

inline FakeCluster pair_with_witness(bool stand_in = true) {
    FakeCluster cluster = pair_of_nodes(stand_in);
    cluster.have_witness();
    cluster.pass(std::chrono::seconds(4));
    return cluster;
}

}  // namespace vpnha::node
