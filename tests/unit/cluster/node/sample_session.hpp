// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions, and clusters that carry them.
#pragma once

#include <gtest/gtest.h>

#include "fake_cluster.hpp"
#include "protocols/l2tp/work.hpp"
#include "support/l2tp_builder.hpp"

namespace vpnha::node {

inline l2tp::SessionRecord session(std::uint16_t number) {
    l2tp::SessionRecord record;
    record.key.tunnel.local = {parse_ipv4("192.0.2.100").value(), 1701};
    record.key.tunnel.peer = {Ipv4Address{0xc0000200U + number}, 1701};
    record.key.tunnel.id = TunnelId{number};
    record.key.tunnel.peer_id = TunnelId{static_cast<std::uint16_t>(number + 1000)};
    record.key.id = SessionId{number};
    record.key.peer_id = SessionId{static_cast<std::uint16_t>(number + 2000)};
    record.facts.our_address = parse_ipv4("10.200.0.1").value();
    record.facts.peer_address = Ipv4Address{0x0ac80100U + number};
    record.facts.ours.magic = 0x11111111;
    record.facts.theirs.magic = 0x22222222;
    record.facts.user = "alice";
    record.facts.interface = "ppp0";
    return record;
}

// Three nodes; the first one is promoted and carries the stock session 1.
inline FakeCluster with_one_session() {
    FakeCluster cluster(3);
    EXPECT_TRUE(cluster.promote(1).has_value());
    cluster.run(1, cluster.at(1).node->on_plugin_up(7, "l2tp", stock_session(session(1)), "",
                                                    cluster.now()));
    return cluster;
}

// The client of that tunnel acknowledges what the node has sent it.
inline void acknowledge(FakeCluster& cluster, std::uint32_t id, const l2tp::TunnelKey& tunnel,
                        const test::L2tpSent& sent) {
    const auto next = static_cast<std::uint16_t>(sent.header.ns.value + 1);
    const Bytes zlb = test::L2tpPacket().to(tunnel.id.value).numbers(2, next).bytes();
    cluster.run(
        id, cluster.at(id).node->on_event(kGateway, TunnelDatagram{tunnel, zlb}, cluster.now()));
}

inline keepers::SessionState state_of_only_session(const FakeNode& fake) {
    const std::vector<keepers::SessionView> sessions =
        fake.node->find(kGateway)->cores().keepers.sessions();
    EXPECT_EQ(sessions.size(), 1U);
    return sessions.front().state;
}

// Five seconds later: what was to be settled is, and the scores are of what a test does.
class CalmCluster : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_.pass(std::chrono::seconds(5));
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.at(node).scores.clear();
        }
    }
    void carrier(std::uint32_t node, LinkSide side, bool there) {
        cluster_.run(node,
                     cluster_.at(node).node->on_carrier(kGateway, side, there, cluster_.now()));
    }
    std::vector<int>& scores(std::uint32_t node) { return cluster_.at(node).scores; }

    FakeCluster cluster_ = with_one_session();
};

}  // namespace vpnha::node
