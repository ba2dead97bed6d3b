// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/cluster_state.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::cli::drill {
namespace cluster_state_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Of Pacemaker 2.1.5; gw2 and what follows it are given.
std::string crm_mon(const std::string& gw2, const std::string& rest = "") {
    return fmt::format(
        R"(<pacemaker-result api-version="2.25" request="crm_mon --output-as=xml">
  <summary>
    <current_dc present="true" name="gw1" with_quorum="true"/>
    <cluster_options stonith-enabled="true" maintenance-mode="false" stonith-timeout-ms="60000"/>
  </summary>
  <nodes>
    <node name="gw1" id="1" online="true" standby="false" maintenance="false" pending="false"
          unclean="false" health="green" type="member"/>
    <node name="gw2" id="2" {} type="member"/>
  </nodes>
  <resources>
    <clone id="fencing-clone" managed="true">
      <resource id="fencing" resource_agent="stonith:fence_ipmilan" role="Started" active="true"
                managed="true" failed="false"><node name="gw1" id="1" cached="true"/></resource>
    </clone>{}
  </resources>
</pacemaker-result>)",
        gw2, rest);
}

const std::string kWell =
    R"(online="true" standby="false" maintenance="false" pending="false" unclean="false")";

TEST(ClusterStateTest, AWholeClusterIsRead) {
    const auto state = parse_crm_mon(crm_mon(kWell));
    ASSERT_TRUE(state) << state.error().detail;
    ASSERT_EQ(state->nodes.size(), 2U);  // The node below the resource is none.
    EXPECT_EQ(state->nodes[1].name, "gw2");
    EXPECT_EQ(state->nodes[1].amiss, "");
    EXPECT_TRUE(state->fencing_enabled);
    EXPECT_TRUE(state->has_fencing);
    EXPECT_FALSE(state->in_maintenance);
    EXPECT_THAT(state->unmanaged, IsEmpty());
    EXPECT_THAT(state->failures, IsEmpty());
}

TEST(ClusterStateTest, WhatIsAmissOfANodeIsNamed) {
    const auto amiss = [](const std::string& attributes) {
        return parse_crm_mon(crm_mon(attributes))->nodes[1].amiss;
    };
    EXPECT_EQ(amiss(R"(online="false" unclean="true")"), "offline");
    EXPECT_EQ(amiss(R"(online="true" pending="true")"), "joining");
    EXPECT_EQ(amiss(R"(online="true" unclean="true")"), "unclean");
    EXPECT_EQ(amiss(R"(online="true" maintenance="true")"), "in maintenance");
    EXPECT_EQ(amiss(R"(online="true" standby="true")"), "in standby");
}

TEST(ClusterStateTest, FailuresUnmanagedResourcesAndMissingFencingAreSeen) {
    const auto state = parse_crm_mon(
        crm_mon(kWell,
                R"(<resource id="xl" resource_agent="ocf:vpnha:x" active="true" managed="false"/>
           <resource id="xl" resource_agent="ocf:vpnha:x" active="true" managed="false"/>
           <failures><failure op_key="xl_monitor_2000" node="gw2" exitcode="7"/>
           <failure op_key="probe_monitor_10000" node="gw2" exitcode="190"/></failures>)"));
    EXPECT_THAT(state->unmanaged, ElementsAre("xl"));
    EXPECT_THAT(state->failures, ElementsAre("xl_monitor_2000 on gw2"));
    std::string stopped = crm_mon(kWell);
    stopped.replace(stopped.find(R"(active="true")"), 13, R"(active="false")");
    EXPECT_FALSE(parse_crm_mon(stopped)->has_fencing);
}

TEST(ClusterStateTest, WhatIsNotCrmMonsIsRefused) {
    EXPECT_EQ(parse_crm_mon("Connection failed").error().code, Errc::malformed);
    EXPECT_EQ(parse_crm_mon("<pacemaker-result/>").error().code, Errc::malformed);
}

TEST(ClusterStateTest, AnOptionIsReadByItsName) {
    const char* const xml = R"(<crm_config><cluster_property_set id="o">
        <nvpair id="a" name="stonith-action" value="off"/></cluster_property_set></crm_config>)";
    EXPECT_EQ(*cluster_option(xml, "stonith-action"), "off");
    EXPECT_EQ(*cluster_option(xml, "stonith-timeout"), "");
}

TEST(ClusterStateTest, AProbeCountsForItsOwnGateway) {
    const char* const xml = R"(<resources>
        <primitive id="checkpoint" class="ocf" provider="vpnha" type="checkpoint">
          <instance_attributes id="i"><nvpair id="a" name="gateway" value="other"/>
          </instance_attributes></primitive>
        <clone id="c"><primitive id="probe" class="ocf" provider="vpnha" type="probe">
          <instance_attributes id="j"><nvpair id="b" name="gateway" value="dialin"/>
          </instance_attributes></primitive></clone></resources>)";
    EXPECT_TRUE(*is_probed(xml, "dialin"));
    EXPECT_FALSE(*is_probed(xml, "other"));
    EXPECT_FALSE(is_probed("", "dialin"));
}

TEST(ClusterStateTest, LinksAreThoseToOtherNodes) {
    const auto links = parse_cluster_links(
        "Local node ID 1, transport knet\n"
        "nodeid: 2 reachable\n"
        "   LINK: 0 udp (10.77.1.1->10.77.1.2) enabled connected mtu: 1397\n"
        "   LINK: 1 udp (fd00::1->fd00::2) enabled connected mtu: 1397\n");
    ASSERT_EQ(links.size(), 2U);
    EXPECT_EQ(links[0].local, "10.77.1.1");
    EXPECT_EQ(links[0].remote, "10.77.1.2");
    EXPECT_EQ(links[1].remote, "fd00::2");
    EXPECT_THAT(parse_cluster_links("Could not initialize (2)\n"), IsEmpty());
}

TEST(ClusterStateTest, RoutesThatNobodyMakesAgainAreKept) {
    const auto routes = routes_to_keep(
        "default via 192.0.2.1 proto static metric 100 linkdown\n"
        "192.0.2.0/24 proto kernel scope link src 192.0.2.11\n"
        "2001:db8::/32 proto ra metric 1024 pref medium\n"
        "198.51.100.0/24 via 192.0.2.2 onlink\n");
    ASSERT_TRUE(routes);
    EXPECT_THAT(*routes, ElementsAre(ElementsAre("default", "via", "192.0.2.1", "proto", "static",
                                                 "metric", "100"),
                                     ElementsAre("198.51.100.0/24", "via", "192.0.2.2", "onlink")));
    EXPECT_EQ(routes_to_keep("default\n\tnexthop via 192.0.2.1 weight 1\n").error().code,
              Errc::unsupported);
}

}  // namespace cluster_state_test
}  // namespace vpnha::cli::drill
