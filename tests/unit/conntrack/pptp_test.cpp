// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/pptp.hpp"

#include "support/flow_builder.hpp"

namespace vpnha::conntrack {
namespace {

using test::address;
using test::flow_of;
using test::nat_tcp_flow;
using test::pptp_call;

const IpAddress kClient = address("10.64.1.5");
const IpAddress kServer = address("203.0.113.9");
const IpAddress kVip = address("192.0.2.100");

News expected(Flow flow) {
    return {.kind = News::Kind::changed, .flow = std::move(flow), .expected = true};
}

TEST(PptpTest, OnlyGreThatWasExpectedIsACall) {
    EXPECT_TRUE(is_pptp_call(expected(pptp_call())));
    EXPECT_FALSE(is_pptp_call({.flow = pptp_call()})) << "it may be a half";
    Flow listed = pptp_call();
    listed.parent = nat_tcp_flow().key;
    EXPECT_TRUE(is_pptp_call({.kind = News::Kind::listed, .flow = listed}));
    EXPECT_FALSE(is_pptp_call(expected(nat_tcp_flow()))) << "FTP";
}

TEST(PptpTest, EachHalfAnswersToWhatItsDirectionsPacketsName) {
    const auto [clients, servers] = halves(expected(pptp_call()));
    EXPECT_EQ(clients.flow.key.original, (Tuple{kClient, kServer, 0, 0}));
    EXPECT_EQ(clients.flow.reply, (Tuple{kServer, kVip, 0, 0}));
    EXPECT_EQ(servers.flow.key.original, (Tuple{kServer, kVip, 0, 4000}));
    EXPECT_EQ(servers.flow.reply, (Tuple{kClient, kServer, 1000, 0}));
    for (const News& half : {clients, servers}) {
        EXPECT_FALSE(is_pptp_call(half)) << "a successor's kernel names it as it is";
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

TEST(PptpTest, HalvesBelongToTheControlConnectionOfTheirHosts) {
    Flow control = nat_tcp_flow();
    control.key.original.destination_part = 1723;
    EXPECT_TRUE(is_pptp_control(control.key));
    EXPECT_FALSE(is_pptp_control(nat_tcp_flow().key));
    control.key.zone.id = 7;
    const auto calls = halves(expected(pptp_call()));
    const auto ends = ends_of_calls(control);
    for (std::size_t n = 0; n < ends.size(); ++n) {
        FlowKey hosts = calls[n].flow.key;
        hosts.original.source_part = hosts.original.destination_part = 0;
        hosts.zone.id = 7;
        EXPECT_EQ(ends[n], hosts);
    }
}

}  // namespace
}  // namespace vpnha::conntrack
