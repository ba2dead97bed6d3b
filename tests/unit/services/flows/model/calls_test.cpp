// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/calls.hpp"

#include <gmock/gmock.h>

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace calls_test {

using test::address;
using test::flow_of;
using test::nat_tcp_flow;
using test::pptp_call;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

const IpAddress kClient = address("10.64.1.5");
const IpAddress kServer = address("203.0.113.9");
const IpAddress kVip = address("192.0.2.100");

News expected(Flow flow) {
    return {.kind = News::Kind::changed, .flow = std::move(flow), .expected = true};
}

TEST(PptpTest, OnlyGreThatWasExpectedIsACall) {
    EXPECT_TRUE(is_call(expected(pptp_call())));
    EXPECT_FALSE(is_call({.flow = pptp_call()})) << "it may be a half";
    Flow listed = pptp_call();
    listed.parent = nat_tcp_flow().key;
    EXPECT_TRUE(is_call({.kind = News::Kind::listed, .flow = listed}));
    EXPECT_FALSE(is_call(expected(nat_tcp_flow()))) << "FTP";
}

TEST(PptpTest, EachHalfAnswersToWhatItsDirectionsPacketsName) {
    const auto [clients, servers] = halves(expected(pptp_call()));
    EXPECT_EQ(clients.flow.key.original, (Tuple{kClient, kServer, 0, 0}));
    EXPECT_EQ(clients.flow.reply, (Tuple{kServer, kVip, 0, 0}));
    EXPECT_EQ(servers.flow.key.original, (Tuple{kServer, kVip, 0, 4000}));
    EXPECT_EQ(servers.flow.reply, (Tuple{kClient, kServer, 1000, 0}));
    for (const News& half : {clients, servers}) {
        EXPECT_FALSE(is_call(half)) << "a successor's kernel names it as it is";
        EXPECT_EQ(half.flow.status, pptp_call().status);
    }
}

TEST(PptpTest, HalvesAreTheSameWhoeverSpokeFirst) {
    Flow other_way = pptp_call();
    std::swap(other_way.key.original, other_way.reply);
    const auto one = halves(expected(pptp_call()));
    const auto other = halves(expected(other_way));
    EXPECT_EQ(one[0].flow, other[1].flow);
    EXPECT_EQ(one[1].flow, other[0].flow);
}

// Without parts, in zone 7.
FlowKey hosts(std::uint8_t protocol, const IpAddress& from, const IpAddress& to) {
    return {protocol, {7, ZoneScope::both}, {from, to, 0, 0}};
}

TEST(PptpTest, HalvesBelongToTheControlConnectionOfTheirHosts) {
    Flow control = nat_tcp_flow();
    control.key.original.destination_part = 1723;
    EXPECT_TRUE(is_call_control(control.key));
    EXPECT_FALSE(is_call_control(nat_tcp_flow().key));
    control.key.zone.id = 7;
    EXPECT_THAT(hosts_of_calls(control, kGre),
                ElementsAre(hosts(kGre, kClient, kServer), hosts(kGre, kServer, kVip)));
    for (News& half : halves(expected(pptp_call()))) {
        half.flow.key.zone.id = 7;
        EXPECT_THAT(hosts_of_calls(half.flow, kTcp), Contains(hosts(kTcp, kClient, kServer)));
        EXPECT_THAT(hosts_of_calls(half.flow, kGre),
                    UnorderedElementsAreArray(hosts_of_calls(control, kGre)));
    }
}

TEST(PptpTest, AServerBehindTheGatewayHasItsClientsCallsToo) {
    Flow control = flow_of(kTcp, {kClient, kVip, 40'000, 1723});
    control.reply.source = kServer;  // The VIP's port leads to it.
    Flow call = flow_of(kGre, {kClient, kVip, 1000, 7});
    call.reply.source = kServer;
    for (const News& half : halves(expected(call))) {
        FlowKey key = half.flow.key;
        key.original.source_part = key.original.destination_part = 0;
        EXPECT_THAT(hosts_of_calls(control, kGre), Contains(key));
        key = control.key;
        key.original.source_part = key.original.destination_part = 0;
        EXPECT_THAT(hosts_of_calls(half.flow, kTcp), Contains(key));
    }
}

// A client's control connection to the server, and its call there, behind the VIP.
struct Client {
    Client(const IpAddress& client, std::uint16_t id, std::uint16_t servers_id) {
        control = nat_tcp_flow();
        control.key.original.source = client;
        control.key.original.destination_part = control.reply.source_part = 1723;
        Flow call = flow_of(kGre, {client, kServer, id, servers_id});
        call.reply.destination = kVip;
        call.reply.destination_part = static_cast<std::uint16_t>(id + 3000);
        const auto both = halves(expected(call));
        calls = {both[0].flow, both[1].flow};
    }
    Flow control;
    std::vector<Flow> calls;
};

TEST(PptpTest, ClientsBehindOneAddressHaveTheirOwnCalls) {
    const Client one(kClient, 1000, 7);
    const Client other(address("10.64.1.6"), 1001, 8);
    std::vector<Flow> gre = one.calls;
    gre.insert(gre.end(), other.calls.begin(), other.calls.end());
    for (const Client& client : {one, other}) {
        for (const Flow& each : {client.control, client.calls[0], client.calls[1]}) {
            EXPECT_THAT(calls_of(each, gre), ElementsAre(client.calls[0].key, client.calls[1].key));
        }
    }
}

TEST(PptpTest, GreWithoutAKeyIsHalfACallOnlyIfTheOtherHalfIsThere) {
    const Client ids(kClient, 1000, 7);
    const Client zero(kClient, 1001, 0);
    std::vector<Flow> gre = ids.calls;
    Flow tunnel = zero.calls[0];  // As the server's call id 0 makes it, too.
    gre.push_back(tunnel);
    EXPECT_THAT(calls_of(ids.control, gre), ElementsAre(gre[0].key, gre[1].key));
    gre.push_back(zero.calls[1]);
    EXPECT_THAT(calls_of(ids.control, gre), SizeIs(4));
    EXPECT_THAT(calls_of(zero.calls[1], gre), SizeIs(4));
}

TEST(PptpTest, AHalfNamesOneCallIdAndOtherGreNone) {
    EXPECT_TRUE(is_half_call({kGre, {}, {kClient, kServer, 0, 7}}));
    EXPECT_FALSE(is_half_call({kGre, {}, {kClient, kServer, 0, 0}}));
    EXPECT_FALSE(is_half_call({kGre, {}, {kClient, kServer, 1000, 7}})) << "the whole call";
    EXPECT_FALSE(is_half_call({kUdp, {}, {kClient, kServer, 0, 7}}));
}

}  // namespace calls_test
}  // namespace vpnha::conntrack
