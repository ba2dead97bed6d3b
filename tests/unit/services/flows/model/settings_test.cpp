// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::conntrack {
namespace settings_test {

using testing::ElementsAre;
using testing::IsEmpty;

using Ctnetlink = Settings::Ctnetlink;

// What nftables/vpnha-sysctl.conf makes of a machine.
Settings good() {
    return {.ctnetlink = Ctnetlink::there,
            .events = 1,
            .max = 262'144,
            .buckets = 262'144,
            .count = 812,
            .conntrackd = {},
            .modules = {}};
}

std::vector<std::string> found(const Settings& settings) {
    std::vector<std::string> lines;
    for (const Finding& finding : check(settings)) {
        lines.push_back((finding.severity == Finding::Severity::error ? "error: " : "warning: ") +
                        to_string(finding));
    }
    return lines;
}

TEST(SettingsTest, NothingIsFoundWhereAllIsSet) {
    EXPECT_THAT(found(good()), IsEmpty());
    Settings settings = good();
    settings.ctnetlink = Ctnetlink::unknown;  // Not root.
    EXPECT_THAT(found(settings), IsEmpty());
}

TEST(SettingsTest, WithoutCtnetlinkNothingElseMatters) {
    EXPECT_THAT(found({.ctnetlink = Ctnetlink::missing,
                       .events = 2,
                       .max = {},
                       .buckets = {},
                       .count = {},
                       .conntrackd = {},
                       .modules = {}}),
                ElementsAre("error: ctnetlink is not in this kernel; load the module "
                            "nf_conntrack_netlink (CONFIG_NF_CT_NETLINK), or set replicate = false "
                            "in each [gateway.NAME.conntrack]: without it flows can be neither "
                            "read nor installed"));
}

TEST(SettingsTest, EventsMustBeOne) {
    Settings settings = good();
    settings.events = 2;
    EXPECT_THAT(found(settings),
                ElementsAre("error: net.netfilter.nf_conntrack_events is 2; set it to 1: the "
                            "kernel sends no event of a flow that was made while nobody listened, "
                            "and so of none that a standby holds when it is promoted"));
    settings.events = 0;
    EXPECT_THAT(found(settings),
                ElementsAre("error: net.netfilter.nf_conntrack_events is 0; set it to 1: the "
                            "kernel sends no events of its flows"));
    settings.events.reset();
    EXPECT_THAT(found(settings),
                ElementsAre("error: net.netfilter.nf_conntrack_events is not there; boot a kernel "
                            "with CONFIG_NF_CONNTRACK_EVENTS, or set replicate = false in each "
                            "[gateway.NAME.conntrack]: this one sends no events of its flows"));
}

TEST(SettingsTest, SettingsThatAreNotThereYetAreNotSetAtBoot) {
    EXPECT_THAT(found({}),
                ElementsAre("warning: net.netfilter.nf_conntrack_events is not there yet; load "
                            "nf_conntrack_netlink at boot, by a line in "
                            "/etc/modules-load.d/vpnha.conf: without the module sysctl.d sets none "
                            "of its values"));
}

TEST(SettingsTest, TheTableHasRoomForTwiceItsFlows) {
    Settings settings = good();
    settings.max = 262'143;
    EXPECT_THAT(found(settings),
                ElementsAre("warning: net.netfilter.nf_conntrack_max is 262143; set it to 262144: "
                            "the flows of all gateways are in every node's table (812 now), and a "
                            "full one takes neither new flows nor those of other nodes"));
    settings.max = 262'144;
    EXPECT_THAT(found(settings), IsEmpty());
    settings.max = 300'000;
    settings.count = 150'000;
    EXPECT_THAT(found(settings), IsEmpty());
    settings.count = 150'001;
    EXPECT_THAT(found(settings),
                ElementsAre("warning: net.netfilter.nf_conntrack_max is 300000; set it to 524288: "
                            "the flows of all gateways are in every node's table (150001 now), and "
                            "a full one takes neither new flows nor those of other nodes"));
    settings.max = 0;  // No bound.
    EXPECT_THAT(found(settings), IsEmpty());
}

TEST(SettingsTest, ATableHasABucketForFourFlows) {
    Settings settings = good();
    settings.buckets = 65'536;
    EXPECT_THAT(found(settings), IsEmpty());
    settings.buckets = 65'535;
    EXPECT_THAT(found(settings),
                ElementsAre("warning: net.netfilter.nf_conntrack_buckets is 65535; set it to "
                            "262144: in a table with 262144 flows each packet is looked up among 8 "
                            "entries, among 2 with as many buckets"));
}

TEST(SettingsTest, BucketsAreCountedForTheTableAsItShouldBe) {
    Settings settings = good();
    settings.max = settings.buckets = 4096;  // A kernel of 512 MB.
    EXPECT_THAT(
        found(settings),
        ElementsAre("warning: net.netfilter.nf_conntrack_max is 4096; set it to 262144: the "
                    "flows of all gateways are in every node's table (812 now), and a full "
                    "one takes neither new flows nor those of other nodes",
                    "warning: net.netfilter.nf_conntrack_buckets is 4096; set it to 262144: "
                    "in a table with 262144 flows each packet is looked up among 128 "
                    "entries, among 2 with as many buckets"));
}

TEST(SettingsTest, OneReplicatesTheFlowsNotTwo) {
    Settings settings = good();
    settings.conntrackd = 812;
    EXPECT_THAT(found(settings),
                ElementsAre("warning: conntrackd is running (pid 812); stop it (systemctl disable "
                            "--now conntrackd), or set replicate = false in each "
                            "[gateway.NAME.conntrack]: each takes what the other installs for "
                            "flows of this node, and replicates it again"));
}

TEST(SettingsTest, AHelperNeedsItsHalfForNat) {
    Settings settings = good();
    settings.modules = {"nf_conntrack", "nf_nat", "nf_conntrack_ftp", "nf_conntrack_pptp",
                        "nf_nat_pptp"};
    EXPECT_THAT(found(settings),
                ElementsAre("warning: nf_nat_ftp is not loaded; load it, also at boot, by a line "
                            "in /etc/modules-load.d/vpnha.conf: nf_conntrack_ftp is, and alone it "
                            "leaves the client's own addresses and numbers in what it tracks "
                            "through NAT"));
    settings.modules.insert("nf_nat_ftp");
    EXPECT_THAT(found(settings), IsEmpty());
    settings.modules.insert("nf_conntrack_sip");
    EXPECT_EQ(found(settings).size(), 1U);
    settings.modules.erase("nf_nat");
    EXPECT_THAT(found(settings), IsEmpty()) << "there is no NAT, or it is built in";
}

}  // namespace settings_test
}  // namespace vpnha::conntrack
