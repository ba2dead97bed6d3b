// SPDX-License-Identifier: GPL-2.0-or-later
// Hot sessions that somebody deletes under us: to be run as root inside a node of the lab.
#include "protocols/l2tp/backend/l2tp_events.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernel/hot_sessions.hpp"

namespace vpnha::adapters {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint32_t kConnection = 0x10000 + 4711;

class L2tpEventsTest : public PppoL2tpTest {
  protected:
    static l2tp::SessionRecord second() {
        l2tp::SessionRecord other = record(300);
        other.facts.peer_address = ip("10.64.1.6");
        return other;
    }
    // A tunnel of somebody else.
    static void create_foreign_tunnel(L2tpNetlink& l2tp, std::uint32_t id, const UniqueFd& udp) {
        const sockaddr_in somebody = testing::socket_address(ip("192.0.2.99"), 1701);
        ASSERT_EQ(connect(udp.get(), reinterpret_cast<const sockaddr*>(&somebody), sizeof somebody),
                  0);
        ASSERT_TRUE(l2tp.create_tunnel(id, TunnelId{5}, udp.get()));
    }
};

TEST_F(L2tpEventsTest, ASessionThatSomebodyDeletedIsReportedAndCleared) {
    install(record());
    install(second());
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 243", kConnection)));
    listen();
    EXPECT_THAT(gone_, UnorderedElementsAre(record().key));
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
    EXPECT_TRUE(eventually([] { return !has_route("10.64.1.5"); }));
    install(record());
    EXPECT_TRUE(units_are(2)) << output_of("ip -br link");
}

TEST_F(L2tpEventsTest, ATunnelThatSomebodyDeletedTakesItsSessionsAlong) {
    install(record());
    install(second());
    ASSERT_TRUE(ip_command(fmt::format("l2tp del tunnel tunnel_id {}", kConnection)));
    while (gone_.size() < 2) {
        const std::size_t before = gone_.size();
        listen();
        ASSERT_GT(gone_.size(), before) << "nothing was told";
    }
    EXPECT_THAT(gone_, UnorderedElementsAre(record().key, second().key));
    EXPECT_TRUE(eventually(nothing_left)) << output_of("ip -br link");
    install(record());
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
}

TEST_F(L2tpEventsTest, OurOwnRemovalsAreNoNews) {
    install(record());
    install(second());
    remove(second());
    remove(record());
    l2tp::SessionRecord changed = record();
    install(changed);
    changed.facts.peer_address = ip("10.64.1.7");
    install(changed);
    // Somebody's news comes after ours: when it is here, ours would be.
    auto others = L2tpNetlink::open();
    ASSERT_TRUE(others);
    install(second());
    // The first one may take the kernel a moment more.
    ASSERT_TRUE(eventually([] { return tunnels().size() == 1; }));
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 300", tunnels().front())));
    listen();
    EXPECT_THAT(gone_, UnorderedElementsAre(second().key));
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
}

TEST_F(L2tpEventsTest, WhatOthersDeleteOfTheirOwnIsNoNews) {
    install(record());
    install(second());
    auto others = L2tpNetlink::open();
    ASSERT_TRUE(others);
    create_foreign_tunnel(*others, 77, testing::udp_socket(ip("192.0.2.1"), 1702));
    ASSERT_TRUE(others->delete_tunnel(77));
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 300", kConnection)));
    listen();
    EXPECT_THAT(gone_, UnorderedElementsAre(second().key));
}

TEST_F(L2tpEventsTest, TheSameIdsDeletedInAnotherNamespaceAreNoNews) {
    install(record());
    install(second());
    in_peer([] {
        auto others = L2tpNetlink::open();
        ASSERT_TRUE(others);
        create_foreign_tunnel(*others, kConnection, testing::udp_socket(ip("192.0.2.51"), 1702));
        ASSERT_TRUE(others->delete_tunnel(kConnection));
    });
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 300", kConnection)));
    listen();
    EXPECT_THAT(gone_, UnorderedElementsAre(second().key));
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
}

TEST_F(L2tpEventsTest, AnAuditFindsWhatIsThereAndClearsTheRest) {
    install(record());
    install(second());
    EXPECT_EQ(*sessions_->audit(kId), (std::set<l2tp::SessionKey>{record().key, second().key}));
    EXPECT_THAT(*sessions_->audit(GatewayId{9}), IsEmpty());
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 243", kConnection)));
    EXPECT_EQ(*sessions_->audit(kId), std::set<l2tp::SessionKey>{second().key});
    EXPECT_TRUE(units_are(1)) << output_of("ip -br link");
}

TEST_F(L2tpEventsTest, AStockSessionOfTheSameIdsIsNotTakenForOurs) {
    install(record());
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 243", kConnection)));
    const StockPeer stock(stock_beside(record().key.id));
    EXPECT_THAT(*sessions_->audit(kId), IsEmpty());
}

TEST_F(L2tpEventsTest, LostNewsIsReported) {
    auto others = L2tpNetlink::open();
    ASSERT_TRUE(others);
    const sockaddr_in somebody = testing::socket_address(ip("192.0.2.99"), 1701);
    // The loop stands still while more is deleted than its socket holds.
    for (std::uint32_t id = 1; id <= 2000; ++id) {
        const UniqueFd udp = testing::udp_socket(ip("192.0.2.1"), 1702);
        ASSERT_EQ(connect(udp.get(), reinterpret_cast<const sockaddr*>(&somebody), sizeof somebody),
                  0);
        ASSERT_TRUE(others->create_tunnel(id, TunnelId{5}, udp.get()));
        ASSERT_TRUE(others->delete_tunnel(id));
    }
    listen();
    EXPECT_EQ(overruns_, 1);
}

TEST_F(L2tpEventsTest, OurOwnRemovalOfManyLosesNoNews) {
    for (std::uint16_t i = 0; i < 600; ++i) {
        l2tp::SessionRecord each = record();
        each.key.tunnel.id = TunnelId{static_cast<std::uint16_t>(1000 + i)};
        each.key.tunnel.peer.port = static_cast<std::uint16_t>(20'000 + i);
        each.facts.peer_address = {ip("10.64.1.0").value + i};
        install(each);
        remove(each);
    }
    install(record());
    ASSERT_TRUE(
        ip_command(fmt::format("l2tp del session tunnel_id {} session_id 243", tunnels().back())));
    listen();
    EXPECT_EQ(overruns_, 0);
    EXPECT_THAT(gone_, UnorderedElementsAre(record().key));
}

}  // namespace
}  // namespace vpnha::adapters
