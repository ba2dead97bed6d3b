// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions, and clusters that carry them.
#pragma once

#include <gtest/gtest.h>

#include "fake_cluster.hpp"

namespace vpnha::node {

inline l2tp::SessionRecord session(std::uint16_t number) {
    l2tp::SessionRecord record;
    record.key.tunnel.local = {parse_ipv4("192.0.2.100").value(), 1701};
    record.key.tunnel.peer = {Ipv4Address{0xc0000200U + number}, 1701};
    record.key.tunnel.id = TunnelId{number};
    record.key.tunnel.peer_id = TunnelId{static_cast<std::uint16_t>(number + 1000)};
    record.key.id = SessionId{number};
    record.key.peer_id = SessionId{static_cast<std::uint16_t>(number + 2000)};
    record.our_address = parse_ipv4("10.200.0.1").value();
    record.peer_address = Ipv4Address{0x0ac80100U + number};
    record.ours.magic = 0x11111111;
    record.theirs.magic = 0x22222222;
    record.user = "alice";
    record.interface = "ppp0";
    return record;
}

// Three nodes; the first one is promoted and carries the stock session 1.
inline FakeCluster with_one_session() {
    FakeCluster cluster(3);
    EXPECT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", session(1), "", cluster.now()));
    return cluster;
}

inline keepers::SessionState state_of_only_session(const FakeNode& fake) {
    const std::vector<keepers::SessionView> sessions = fake.node->find(kGateway)->sessions();
    EXPECT_EQ(sessions.size(), 1U);
    return sessions.front().state;
}

}  // namespace vpnha::node
