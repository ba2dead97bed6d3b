// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/routing_conflicts.hpp"

#include <gmock/gmock.h>

#include "host/addresses/network.hpp"
#include "protocols/wireguard/table.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace routing_conflicts_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ip_command;
using ::testing::IsEmpty;
using testing::prefix;

class RoutingConflictsTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        config_.gateways[0].rule_preference = 50;
    }
    std::vector<std::string> conflicts() {
        auto found = routing_conflicts(config_);
        EXPECT_TRUE(found) << found.error().detail;
        return found ? (*found)[GatewayId{7}] : std::vector<std::string>();
    }

    config::Config config_;
};

TEST_F(RoutingConflictsTest, WhatVpnhadHasSetIsNone) {
    config_.gateways[0].outside.default_via = {*parse_ip("192.0.2.51")};
    auto network = LinuxNetwork::create(config_);
    ASSERT_TRUE(network);
    ASSERT_TRUE(network->set_networks(GatewayId{7}, false, true));
    ASSERT_TRUE(network->add_addresses(GatewayId{7}));
    auto route = RouteNetlink::open();
    ASSERT_TRUE(route->add_route(route->find_link("out0")->value_or(LinkState{}).index,
                                 {prefix("10.64.1.5/32"), std::nullopt, 700}));
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(RoutingConflictsTest, NamesRoutesOfSomebodyElseInATable) {
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 700"));
    EXPECT_THAT(conflicts(),
                ElementsAre("table 700 has a route of another program, such as default via "
                            "192.0.2.51; give 'route_table' of [gateway.vpn] another number"));
    ASSERT_TRUE(ip_command("route add 203.0.113.0/24 via 192.0.2.51 table 700"));
    EXPECT_THAT(conflicts(), ElementsAre(HasSubstr("table 700 has 2 routes of another program")));
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 2014"));
    EXPECT_EQ(conflicts().size(), 1U) << "it needs none for answers";
    config_.gateways[0].outside.default_via = {*parse_ip("192.0.2.51")};
    EXPECT_THAT(conflicts(), ElementsAre(HasSubstr("table 700"),
                                         HasSubstr("table 2014 has a route of another program")));
}

TEST_F(RoutingConflictsTest, NamesRoutesOfSomebodyElseInTheTableOfAMark) {
    ASSERT_TRUE(ip_command("route add default via 192.0.2.51 table 3007"));
    EXPECT_THAT(conflicts(), IsEmpty()) << "no protocol needs it";
    config_.gateways[0].protocols.serve<wireguard::Table>();
    EXPECT_THAT(conflicts(),
                ElementsAre("table 3007 has a route of another program, such as default via "
                            "192.0.2.51; WireGuard of gateway vpn needs it: give its other user "
                            "another number"));
}

TEST_F(RoutingConflictsTest, NamesRulesOfSomebodyElse) {
    ASSERT_TRUE(ip_command("rule add from 203.0.113.0/24 lookup 700 preference 300"));
    EXPECT_THAT(conflicts(),
                ElementsAre(HasSubstr("table 700 is used by the rule 300 of another program: from "
                                      "203.0.113.0/24 lookup 700; give 'route_table'")));
    ASSERT_TRUE(ip_command("rule del preference 300"));
    ASSERT_TRUE(ip_command("-6 rule add from 2001:db8::/64 lookup 900 preference 50"));
    EXPECT_THAT(conflicts(),
                ElementsAre(HasSubstr("preference 50 is used by a rule of another program: from "
                                      "2001:db8::/64 lookup 900; give 'rule_preference'")));
}

TEST_F(RoutingConflictsTest, NamesARuleThatLeadsClientsElsewhereBefore) {
    ASSERT_TRUE(ip_command("route add default via 198.51.100.51 table 900"));
    ASSERT_TRUE(ip_command("rule add from 198.51.100.0/24 lookup 900 preference 100"));
    EXPECT_THAT(conflicts(), IsEmpty()) << "it is asked later";
    config_.gateways[0].rule_preference = 101;
    EXPECT_THAT(conflicts(),
                ElementsAre("rule 100, from 198.51.100.0/24 lookup 900, leads packets to pool "
                            "10.64.1.0/24 elsewhere before rule 101 is asked; give "
                            "'rule_preference' of [gateway.vpn] a lower number"));
    ASSERT_TRUE(ip_command("rule del preference 100"));
    for (const char* harmless :
         {"rule add to 10.65.0.0/16 lookup 900 preference 100",
          "rule add fwmark 5 lookup 900 preference 100", "rule add lookup 901 preference 100",
          "rule add lookup 900 suppress_prefixlength 0 preference 100"}) {
        ASSERT_TRUE(ip_command(harmless));
        EXPECT_THAT(conflicts(), IsEmpty()) << harmless;
        ASSERT_TRUE(ip_command("rule del preference 100"));
    }
    ASSERT_TRUE(ip_command("rule add to 10.64.0.0/16 blackhole preference 100"));
    EXPECT_THAT(conflicts(), ElementsAre(HasSubstr("to 10.64.0.0/16 blackhole, leads packets")));
}

}  // namespace routing_conflicts_test
}  // namespace vpnha::adapters
