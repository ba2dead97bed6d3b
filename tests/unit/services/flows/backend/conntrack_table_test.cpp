// SPDX-License-Identifier: GPL-2.0-or-later
// Needs root: a kernel's flow table in namespaces of its own.
#include "services/flows/backend/conntrack_table.hpp"

#include <filesystem>

#include "services/flows/model/calls.hpp"
#include "support/temporary_path.hpp"
#include "unit/services/flows/backend/conntrack_host.hpp"

namespace vpnha::adapters {
namespace conntrack_table_test {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ConntrackTableTest = ConntrackHost;

TEST_F(ConntrackTableTest, ANatedTcpFlowIsWhatItsRecordReports) {
    Flow flow = nat_tcp_flow();
    flow.mark = 7;
    EXPECT_EQ(install(flow), flow);
    Flow mapped = nat_tcp_flow(40'001);
    mapped.reply.destination_part = 1024;
    mapped.reply.source = address("203.0.113.10");
    mapped.reply.source_part = 8443;
    EXPECT_EQ(install(mapped), mapped);
}

TEST_F(ConntrackTableTest, FlowsOfAllProtocols) {
    for (const std::uint8_t protocol : {conntrack::kUdp, conntrack::kUdpLite, conntrack::kGre,
                                        std::uint8_t{50}, std::uint8_t{51}, std::uint8_t{4}}) {
        Flow flow = flow_of(protocol, {address("10.64.1.5"), address("203.0.113.9"), 0, 0});
        EXPECT_EQ(install(flow), flow) << int{protocol};
        flow = flow_of(protocol, {address("2001:db8::5"), address("2001:db8::9"), 0, 0});
        EXPECT_EQ(install(flow), flow) << int{protocol};
    }
    Flow ping =
        flow_of(conntrack::kIcmp, {address("10.64.1.5"), address("203.0.113.9"), 77, 8 << 8});
    ping.reply.destination = address("192.0.2.100");
    ping.reply.source_part = 78;
    EXPECT_EQ(install(ping), ping);
}

TEST_F(ConntrackTableTest, HalvesOfAPptpCallTranslateItsId) {
    for (const News& half : conntrack::halves({.flow = test::pptp_call()})) {
        EXPECT_EQ(install(half.flow), half.flow);
        EXPECT_EQ(install(half.flow), half.flow) << "once more: it is there";
        const conntrack::Timeout longer{half.flow.key, 3600};
        EXPECT_THAT(table_->set_timeouts(std::span(&longer, 1)).value_or(std::vector<bool>{}),
                    ElementsAre(true))
            << "its timeout is fixed, but it is there";
    }
}

TEST_F(ConntrackTableTest, AFixedTimeoutIsRenewedWhenHalfOfItIsOver) {
    const auto set = [this](const Flow& flow, std::uint32_t seconds) {
        const conntrack::Timeout timeout{flow.key, seconds};
        return table_->set_timeouts(std::span(&timeout, 1)).value_or(std::vector<bool>{});
    };
    for (const News& half : conntrack::halves({.flow = test::pptp_call()})) {
        Flow flow = half.flow;
        EXPECT_THAT(set(flow, 1000), ElementsAre(false));
        flow.mark = 7;
        flow.timeout_s = 600;
        EXPECT_EQ(install(flow), flow);
        EXPECT_THAT(set(flow, 1000), ElementsAre(true));
        EXPECT_EQ(find(flow), flow) << "it has enough";
        EXPECT_THAT(set(flow, 2000), ElementsAre(true));
        flow.timeout_s = 2000;
        EXPECT_EQ(find(flow), flow);
        flow.timeout_s = 5000;
        EXPECT_EQ(install(flow), flow) << "installed again";
    }
    EXPECT_THAT(listed(), SizeIs(2));
}

TEST_F(ConntrackTableTest, AdjustmentsMayComeLater) {
    Flow flow = nat_tcp_flow();
    EXPECT_EQ(install(flow), flow);
    flow.adjusted[0] = conntrack::SequenceAdjustment{270'552'471, 0, 3};
    EXPECT_EQ(install(flow), flow);
    Flow other = nat_tcp_flow(40'001);
    other.adjusted[0] = conntrack::SequenceAdjustment{1, 0, 3};
    EXPECT_EQ(install(other), other);
}

TEST_F(ConntrackTableTest, Ipv6IsTranslatedToo) {
    Flow flow =
        flow_of(conntrack::kUdp, {address("2001:db8::5"), address("2001:db8::9"), 5060, 5060});
    flow.reply.destination = address("2001:db8:1::1");
    flow.reply.destination_part = 1024;
    EXPECT_EQ(install(flow), flow);
}

TEST_F(ConntrackTableTest, ZonesKeepEqualFlowsApart) {
    for (const conntrack::ZoneScope scope :
         {conntrack::ZoneScope::both, conntrack::ZoneScope::original,
          conntrack::ZoneScope::reply}) {
        Flow flow = udp_flow();
        flow.key.zone = {static_cast<std::uint16_t>(7 + static_cast<int>(scope)), scope};
        flow.key.original.source_part = static_cast<std::uint16_t>(6000 + static_cast<int>(scope));
        flow.reply.destination_part = flow.key.original.source_part;
        EXPECT_EQ(install(flow), flow) << int(scope);
    }
    Flow one = udp_flow();
    one.key.zone.id = 1;
    Flow other = udp_flow();
    other.key.zone.id = 2;
    install(one);
    install(other);
    EXPECT_TRUE(table_->remove(std::span(&one.key, 1)));
    EXPECT_FALSE(find(one));
    EXPECT_EQ(find(other), other);
}

TEST_F(ConntrackTableTest, HotTcpIsLiberalAndLivesLong) {
    install(conntrack::hot(nat_tcp_flow()));
    const std::string proc = testing::output_of("conntrack -L -o extended,id 2>/dev/null");
    EXPECT_THAT(proc, ::testing::HasSubstr("ESTABLISHED"));
    const auto found = find(nat_tcp_flow());
    ASSERT_TRUE(found && found->tcp);
    EXPECT_EQ(found->tcp->flags[0] & conntrack::kTcpLiberal, conntrack::kTcpLiberal);
    EXPECT_EQ(found->tcp->flags[1] & conntrack::kTcpLiberal, conntrack::kTcpLiberal);
    EXPECT_EQ(found->tcp->scale, nat_tcp_flow().tcp->scale);
    EXPECT_GE(found->timeout_s, 7 * 24 * 3600U - 60);
}

TEST_F(ConntrackTableTest, WhatIsThereIsChanged) {
    Flow flow = nat_tcp_flow();
    flow.status = conntrack::kSeenReply;
    install(flow);
    flow.status |= conntrack::kAssured;
    flow.mark = 9;
    flow.tcp->state = conntrack::TcpState::fin_wait;
    flow.timeout_s = 100;
    EXPECT_EQ(install(flow), flow);
    Flow older = flow;
    older.status = conntrack::kSeenReply;  // A bit that cannot be taken back.
    EXPECT_EQ(install(older), flow);
    EXPECT_EQ(table_->counters().collisions, 0U);
}

TEST_F(ConntrackTableTest, OnANodeThatServesWhatIsLiveStays) {
    Flow flow = nat_tcp_flow();
    install(flow);
    Flow older = conntrack::hot(flow);
    older.tcp->state = conntrack::TcpState::syn_sent;
    EXPECT_EQ(install(older, true, Live::stays), flow);
    const Flow untouched = conntrack::hot(nat_tcp_flow(40'009));
    install(untouched);
    older = untouched;
    older.mark = 9;
    EXPECT_EQ(install(older, true, Live::stays)->mark, 9U);
}

TEST_F(ConntrackTableTest, ThisNodesOwnFlowsGiveWay) {
    Flow own = nat_tcp_flow();
    own.reply.destination_part = 50'000;  // The same client and server, mapped to another port.
    install(own);
    EXPECT_EQ(install(nat_tcp_flow()), nat_tcp_flow());
    Flow other = nat_tcp_flow(40'009);  // Another client's port with the same mapping.
    other.reply.destination_part = 40'000;
    EXPECT_EQ(install(other), other);
    EXPECT_FALSE(find(nat_tcp_flow()));
    EXPECT_EQ(table_->counters().collisions, 2U);
}

TEST_F(ConntrackTableTest, HelpersAndParentsAreRestored) {
    Flow control = nat_tcp_flow();
    control.key.original.destination_part = 21;
    control.reply.source_part = 21;
    control.helper = "ftp";
    EXPECT_EQ(install(control), control);
    Flow data = nat_tcp_flow(40'001);
    data.parent = control.key;
    EXPECT_EQ(install(data), data);
    data.mark = 5;
    EXPECT_EQ(install(data), data);  // Changed, and still expected.
}

TEST_F(ConntrackTableTest, WithoutHelperOrParentAFlowContinuesAllTheSame) {
    Flow flow = nat_tcp_flow();
    flow.helper = "no-such";
    flow.parent = udp_flow().key;
    const Flow expected = nat_tcp_flow();
    EXPECT_EQ(install(flow), expected);
    EXPECT_EQ(table_->counters().without_helper, 1U);
    EXPECT_EQ(table_->counters().without_parent, 1U);
    EXPECT_EQ(install(flow), expected);
    EXPECT_EQ(table_->counters().refused, 0U);
}

TEST_F(ConntrackTableTest, OneRefusalInATrainIsItsOwn) {
    std::vector<Flow> flows = many(limits::kFlowsPerTrain);
    flows[100] = flow_of(conntrack::kIcmp, {address("10.0.0.1"), address("203.0.113.9"), 1,
                                            99 << 8});  // No such ICMP type.
    flows[200] = flows[201];
    const auto installed = table_->install(flows, Live::changes);
    ASSERT_TRUE(installed) << installed.error().detail;
    EXPECT_THAT(listed(), SizeIs(limits::kFlowsPerTrain - 2));
    EXPECT_EQ(std::count(installed->begin(), installed->end(), false), 1);
    EXPECT_FALSE((*installed)[100]);
    EXPECT_EQ(table_->counters().refused, 1U);
}

TEST_F(ConntrackTableTest, AWholeTrainThatIsThereIsChanged) {
    std::vector<Flow> flows = many(limits::kFlowsPerTrain);
    install_all(flows);
    for (Flow& flow : flows) {
        flow.mark = 3;
    }
    install_all(flows);
    for (const Flow& flow : listed()) {
        EXPECT_EQ(flow.mark, 3U);
    }
}

TEST_F(ConntrackTableTest, ManyAreListedAndRemoved) {
    const std::vector<Flow> flows = many(3'000);
    install_all(flows);
    EXPECT_THAT(listed(), SizeIs(flows.size()));
    std::vector<conntrack::FlowKey> keys;
    for (const Flow& flow : flows) {
        keys.push_back(flow.key);
    }
    EXPECT_TRUE(table_->remove(keys));
    EXPECT_TRUE(table_->remove(keys));  // Not there: a success.
    EXPECT_THAT(listed(), SizeIs(0));
}

TEST_F(ConntrackTableTest, AListingDuringWhichTheTableWasResizedIsNotBelieved) {
    const std::string buckets = temporary_path("buckets");
    install(udp_flow());
    for (const bool resized : {false, true}) {
        std::ofstream(buckets) << "65536\n";
        auto listing = ConntrackListing::start(buckets);
        ASSERT_TRUE(listing) << listing.error().detail;
        if (resized) {
            std::ofstream(buckets) << "262144\n";
        }
        auto state = listing->read([](const News&) {});
        while (state && *state == ConntrackListing::State::more) {
            state = listing->read([](const News&) {});
        }
        EXPECT_EQ(state.has_value(), !resized);
    }
    std::filesystem::remove(buckets);
}

TEST_F(ConntrackTableTest, PacketsOfAnInstalledFlowAreTranslatedAsItReports) {
    // No rule translates anything: only the installed flow does.
    Flow flow =
        flow_of(conntrack::kUdp, {address("192.0.2.1"), address("203.0.113.9"), 5000, 7777});
    flow.reply.source = address("192.0.2.51");
    flow.reply.source_part = 8888;
    flow.reply.destination_part = 6000;
    install(conntrack::hot(flow));
    ASSERT_TRUE(testing::ip_command("route add default via 192.0.2.51"));
    UniqueFd server;
    const auto udp = [](const char* from, std::uint16_t port) {
        UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const sockaddr_in local{AF_INET, htons(port), {htonl(ip(from).value)}, {}};
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
        return fd;
    };
    in_peer([&] { server = udp("192.0.2.51", 8888); });
    const UniqueFd client = udp("192.0.2.1", 5000);
    const sockaddr_in to{AF_INET, htons(7777), {htonl(ip("203.0.113.9").value)}, {}};
    ASSERT_EQ(sendto(client.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
              1);
    pollfd ready{server.get(), POLLIN, 0};
    ASSERT_EQ(poll(&ready, 1, 5000), 1);
    sockaddr_in from{};
    socklen_t from_bytes = sizeof from;
    char byte = 0;
    ASSERT_EQ(recvfrom(server.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &from_bytes),
              1);
    EXPECT_EQ(ntohs(from.sin_port), 6000);
    // The first packet has set the protocol's own timeout.
    ASSERT_TRUE(find(flow));
    EXPECT_LE(find(flow)->timeout_s, 180U);
}

}  // namespace conntrack_table_test
}  // namespace vpnha::adapters
