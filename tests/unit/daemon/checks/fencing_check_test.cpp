// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/fencing_check.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace fencing_check_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Cluster {
    std::vector<std::string> nodes{"gw1", "gw2", "gw3"};
    std::string properties{};
    std::string devices{};
    std::string levels{};
    bool has_witness = false;
};

std::string device(const std::string& id, const std::string& type,
                   const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string pairs;
    for (const auto& [name, value] : parameters) {
        pairs += fmt::format(R"(<nvpair id="{0}-{1}" name="{1}" value="{2}"/>)", id, name, value);
    }
    return fmt::format(R"(<primitive id="{0}" class="stonith" type="{1}">
      <instance_attributes id="{0}-parameters">{2}</instance_attributes></primitive>)",
                       id, type, pairs);
}

std::vector<std::string> found(const Cluster& cluster) {
    std::string nodes;
    for (const std::string& node : cluster.nodes) {
        nodes += fmt::format(R"(<node id="{0}" uname="{0}"/>)", node);
    }
    return find_in_fencing(
               fmt::format(R"(<configuration><crm_config><cluster_property_set id="all">{}
      </cluster_property_set></crm_config><nodes>{}<node id="r" uname="far" type="remote"/></nodes>
      <resources><primitive id="mode" class="ocf" type="Dummy"><instance_attributes id="p">
      <nvpair id="n" name="stonith-enabled" value="false"/></instance_attributes></primitive>{}
      </resources><fencing-topology>{}</fencing-topology></configuration>)",
                           cluster.properties, nodes, cluster.devices, cluster.levels),
               cluster.has_witness)
        .value();
}

const std::string kPower = device("power", "fence_virsh", {{"pcmk_host_list", "gw1 gw2 gw3"}});
const std::string kMarks = device("marks", "fence_vpnha", {{"pcmk_host_list", "gw1 gw2 gw3"}});
const std::string kForAll =
    R"(<fencing-level id="a" index="1" target-pattern=".*" devices="marks"/>)";

TEST(FencingCheckTest, TheTemplateForThreeNodesFits) {
    EXPECT_THAT(found({.devices = kPower + kMarks, .levels = kForAll}), IsEmpty());
    EXPECT_THAT(found({.devices = device("any", "fence_sbd", {})}), IsEmpty())
        << "it finds its hosts by itself";
}

TEST(FencingCheckTest, FencingThatIsOffIsNamed) {
    EXPECT_THAT(found({.properties = R"(<nvpair id="e" name="stonith-enabled" value="false"/>)",
                       .devices = kPower}),
                ElementsAre(StartsWith("stonith-enabled is false")));
    EXPECT_THAT(found({}), ElementsAre(StartsWith("there is no power device")));
    EXPECT_THAT(found({.devices = kMarks}), ElementsAre(StartsWith("there is no power device")));
    EXPECT_THAT(
        found({.properties = R"(<nvpair id="w" name="stonith-watchdog-timeout" value="10"/>)"}),
        IsEmpty())
        << "sbd without a disk";
}

TEST(FencingCheckTest, ANodeWithoutADeviceOrALevelIsNamed) {
    EXPECT_THAT(found({.nodes = {"gw1", "gw2", "gw3", "gw4"}, .devices = kPower}),
                ElementsAre(StartsWith("no power device has gw4 among its hosts")));
    EXPECT_THAT(
        found({.devices = kPower, .levels = R"(<fencing-level id="a" target="gw1" devices="power"/>
                                    <fencing-level id="b" target="gw2" devices="power"/>
                                    <fencing-level id="c" target="gw9" devices="power"/>)"}),
        ElementsAre(StartsWith("the fencing topology has no level for gw3"),
                    StartsWith("the fencing topology has a level for gw9")));
}

TEST(FencingCheckTest, OfTwoNodesSomethingDecidesWhichOneIsLeft) {
    const std::vector<std::string> pair{"gw1", "gw2"};
    const std::string yields = device("yields", "fence_vpnha", {{"mode", "yield"}});
    EXPECT_THAT(found({.nodes = pair, .devices = kPower}),
                ElementsAre(HasSubstr("switch each other off")));
    EXPECT_THAT(found({.nodes = pair, .devices = kPower + yields}), IsEmpty());
    EXPECT_THAT(found({.nodes = pair,
                       .properties = R"(<nvpair id="d" name="priority-fencing-delay" value="2"/>)",
                       .devices = kPower}),
                IsEmpty());
    EXPECT_THAT(found({.nodes = pair, .devices = kPower + yields + kMarks}),
                ElementsAre(StartsWith("marks marks a node by a majority of three voters")));
    EXPECT_THAT(found({.nodes = pair, .devices = kPower + yields + kMarks, .has_witness = true}),
                IsEmpty());
    EXPECT_THAT(found({.devices = kPower + yields}),
                ElementsAre(StartsWith("yields has mode=yield, which is for two nodes")));
}

TEST(FencingCheckTest, WhatIsNoXmlIsAnError) {
    EXPECT_FALSE(find_in_fencing("<configuration", false));
}

}  // namespace fencing_check_test
}  // namespace vpnha::runtime
