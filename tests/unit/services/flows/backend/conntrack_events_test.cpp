// SPDX-License-Identifier: GPL-2.0-or-later
// Needs root: events of a kernel in namespaces of its own.
#include "services/flows/backend/conntrack_events.hpp"

#include "unit/services/flows/backend/conntrack_host.hpp"

namespace vpnha::adapters {
namespace conntrack_events_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ConntrackEventsTest : public ConntrackHost {
  protected:
    void listen(const conntrack::Policy& policy, std::size_t bytes = limits::kFlowEventBytes) {
        auto opened = ConntrackEvents::open(policy, bytes);
        ASSERT_TRUE(opened) << opened.error().detail;
        events_.emplace(std::move(*opened));
    }
    // All that is there; false when news was lost. Our own requests are answered with the events
    // they cause, so nothing is waited for.
    bool read() {
        news_.clear();
        bool whole = true;
        for (ConntrackEvents::Turn turn; !turn.drained; whole = whole && turn.whole) {
            turn = events_->read([this](const News& news) { news_.push_back(news); });
        }
        return whole;
    }
    // Source ports of the flows in the news.
    std::vector<std::uint16_t> ports() {
        std::vector<std::uint16_t> result;
        for (const News& news : news_) {
            result.push_back(news.flow.key.original.source_part);
        }
        return result;
    }
    static Flow from_port(std::uint16_t port) {
        Flow flow = udp_flow();
        flow.key.original.source_part = port;
        flow.reply.destination_part = port;
        return flow;
    }

    std::optional<ConntrackEvents> events_;
    std::vector<News> news_;
};

TEST_F(ConntrackEventsTest, AFlowIsReportedFromItsBeginningToItsEnd) {
    listen({});
    Flow flow = nat_tcp_flow();
    flow.mark = 4;
    install(flow);
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    EXPECT_EQ(news_.front().kind, News::Kind::changed);
    EXPECT_EQ(unaged(news_.front().flow, flow), flow);
    flow.mark = 5;
    install(flow);
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    EXPECT_EQ(news_.front().flow.mark, 5U);
    ASSERT_TRUE(table_->remove(std::span(&flow.key, 1)));
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    EXPECT_EQ(news_.front().kind, News::Kind::ended);
    EXPECT_EQ(news_.front().flow.key, flow.key);
}

TEST_F(ConntrackEventsTest, OnlyWhatIsWorthItLeavesTheKernel) {
    listen({});
    Flow asked = from_port(1);
    asked.status = 0;
    install(asked);
    Flow answered = from_port(2);
    answered.status = conntrack::kSeenReply;
    install(answered);
    install(from_port(3));
    Flow esp = flow_of(50, {address("10.64.1.5"), address("203.0.113.9"), 0, 0});
    esp.status = conntrack::kSeenReply;
    install(esp);
    Flow ping =
        flow_of(conntrack::kIcmp, {address("10.64.1.5"), address("203.0.113.9"), 77, 8 << 8});
    ping.status = conntrack::kSeenReply;
    install(ping);
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(3, 0));

    conntrack::Policy all;
    all.unassured = true;
    listen(all);
    for (const Flow& flow : {asked, answered, ping}) {
        ASSERT_TRUE(table_->remove(std::span(&flow.key, 1)));
        install(flow);
    }
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(1, 1, 2, 2, 77, 77));
}

TEST_F(ConntrackEventsTest, MarksAreFilteredByTheirMask) {
    conntrack::Policy policy;
    policy.mark = 0x1200;
    policy.mark_mask = 0xff00;
    listen(policy);
    for (const std::uint32_t mark : {0U, 0x1200U, 0x1234U, 0x1300U, 0xab1234U}) {
        Flow flow = from_port(static_cast<std::uint16_t>(mark & 0xffff));
        flow.mark = mark;
        flow.key.original.destination_part = static_cast<std::uint16_t>(mark >> 16);
        flow.reply.source_part = flow.key.original.destination_part;
        install(flow);
    }
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(0x1200, 0x1234, 0x1234));
}

TEST_F(ConntrackEventsTest, TheEndOfAFlowWhoseMarkHasChangedIsReported) {
    conntrack::Policy policy;
    policy.mark = policy.mark_mask = 1;
    listen(policy);
    Flow flow = udp_flow();
    flow.mark = 1;
    install(flow);
    flow.mark = 2;
    install(flow);
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    EXPECT_TRUE(table_->remove(std::span(&flow.key, 1)));
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    EXPECT_EQ(news_.front().kind, News::Kind::ended);
}

TEST_F(ConntrackEventsTest, ZonesAreFilteredWhereverTheyStand) {
    const auto received = [this](const std::vector<std::uint16_t>& zones) {
        conntrack::Policy policy;
        policy.zones = zones;
        listen(policy);
        std::uint16_t port = 1;
        for (const conntrack::Zone& zone :
             {conntrack::Zone{}, conntrack::Zone{7, conntrack::ZoneScope::both},
              conntrack::Zone{7, conntrack::ZoneScope::original},
              conntrack::Zone{7, conntrack::ZoneScope::reply},
              conntrack::Zone{8, conntrack::ZoneScope::both}}) {
            Flow flow = from_port(port++);
            flow.key.zone = zone;
            install(flow);
            EXPECT_TRUE(table_->remove(std::span(&flow.key, 1)));
        }
        EXPECT_TRUE(read());
        std::vector<std::uint16_t> result;
        for (const News& news : news_) {
            if (news.kind == News::Kind::changed) {
                result.push_back(news.flow.key.original.source_part);
            }
        }
        return result;
    };
    EXPECT_THAT(received({7}), ElementsAre(2, 3, 4));
    EXPECT_THAT(received({0, 8}), ElementsAre(1, 5));
    EXPECT_THAT(received({}), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ConntrackEventsTest, NetsAreFilteredByAnyEnd) {
    conntrack::Policy policy;
    policy.nets = {testing::prefix("10.65.0.0/16"), testing::prefix("192.0.2.100/32"),
                   testing::prefix("2001:db8::/64")};
    listen(policy);
    install(from_port(1));  // From 10.64.1.5, untranslated.
    Flow translated = from_port(2);
    translated.reply.destination = address("192.0.2.100");
    install(translated);
    install(flow_of(conntrack::kUdp, {address("203.0.113.9"), address("10.65.0.1"), 3, 3}));
    // Of IPv6 all come; the tracker decides.
    install(flow_of(conntrack::kUdp, {address("2001:db9::1"), address("2001:db9::2"), 4, 4}));
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(2, 3, 4));
}

TEST_F(ConntrackEventsTest, ManyNetsAreNotTooManyForTheKernel) {
    conntrack::Policy policy;
    policy.zones.assign(100, 0);
    policy.mark_mask = 1;
    for (std::uint32_t i = 0; i < 2 * limits::kAddressesPerSideMax + limits::kPoolsPerGatewayMax;
         ++i) {
        policy.nets.push_back(host_prefix(IpAddress(Ipv4Address{0x0b000000 + i})));
    }
    listen(policy);
    install(from_port(1));
    install(flow_of(
        conntrack::kUdp,
        {IpAddress(Ipv4Address{0x0b000000 + static_cast<std::uint32_t>(policy.nets.size()) - 1}),
         address("203.0.113.9"), 2, 2}));
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(2));
}

TEST_F(ConntrackEventsTest, LostNewsIsReportedAndAListingHeals) {
    listen({}, 64 * 1024);
    const std::vector<Flow> flows = many(2'000);
    install_all(flows);
    EXPECT_FALSE(read());
    EXPECT_LT(news_.size(), flows.size());
    EXPECT_THAT(listed(), SizeIs(flows.size()));
    install(from_port(1));
    EXPECT_TRUE(read());  // What comes from now on is told again.
    EXPECT_THAT(ports(), ElementsAre(1));
}

// Whatever is made of the events: some of them may be of no use.
TEST_F(ConntrackEventsTest, ATurnThatReadsAllItMayHasNotDrainedTheSocket) {
    listen({});
    install_all(many(limits::kFlowEventsPerTurnMax + 1));
    EXPECT_FALSE(events_->read([](const News&) {}).drained);
    EXPECT_TRUE(events_->read([](const News&) {}).drained);
}

TEST_F(ConntrackEventsTest, WhatNobodyListenedToAtItsBeginningIsReportedWithTheRightSetting) {
    const Flow flow = from_port(1);
    install(flow);
    listen({});
    ASSERT_TRUE(table_->remove(std::span(&flow.key, 1)));
    EXPECT_TRUE(read());
    EXPECT_THAT(ports(), ElementsAre(1));
}

TEST_F(ConntrackEventsTest, ATcpConnectionIsWorthOneEventUntilItEnds) {
    listen({});
    UniqueFd server;
    in_peer([&] {
        server.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in local{AF_INET, htons(80), {htonl(ip("192.0.2.51").value)}, {}};
        ASSERT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
        ASSERT_EQ(::listen(server.get(), 1), 0);
    });
    UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to{AF_INET, htons(80), {htonl(ip("192.0.2.51").value)}, {}};
    ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const UniqueFd accepted(accept(server.get(), nullptr, nullptr));
    EXPECT_TRUE(read());
    ASSERT_THAT(news_, SizeIs(1));
    const Flow& flow = news_.front().flow;
    EXPECT_EQ(flow.status, conntrack::kSeenReply | conntrack::kAssured);
    ASSERT_TRUE(flow.tcp);
    EXPECT_EQ(flow.tcp->state, conntrack::TcpState::established);
    EXPECT_EQ(flow.tcp->flags[0] & 1, 1);
    EXPECT_GT(flow.tcp->scale[0], 0);
    client.reset();
    EXPECT_TRUE(read());
    ASSERT_FALSE(news_.empty());
    EXPECT_EQ(news_.front().flow.tcp->state, conntrack::TcpState::fin_wait);
}

}  // namespace conntrack_events_test
}  // namespace vpnha::adapters
