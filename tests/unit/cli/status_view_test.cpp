// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/status_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace status_view_test {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(StatusViewTest, ShowsAHealthyNodeOnOneScreen) {
    EXPECT_EQ(
        render_status(sample_status(), false),
        "Node gw1 (1), vpnha 0.1.0, 3 of the cluster's nodes run vpnhad; quorate, encrypted, wire "
        "version 1.\n"
        "Quorum: 3 voters; after the loss of one nothing is needed; a second loss silences the "
        "gateways.\n"
        "Witness wit1: answered 0.1 s ago, 1.2 ms.\n"
        "\n"
        "GATEWAY  ROLE HERE  PROMOTED  STANDBYS          REPLICA   GATE  LINKS  SESSIONS  "
        "PROTECTED  RESUMED  EPOCH\n"
        "dialin   promoted   gw1 (1)   gw2 (2), gw3 (3)  complete  open  good   2         "
        "2          1        3.1\n"
        "\n"
        "GATEWAY  STANDING  RECORDS      FLOWS  UNSENT  INSTALLING  TOMBSTONES  MEMORY\n"
        "dialin   complete  2 of 100000  412    0       0           1 of 16384  768 octets of "
        "120.0 MiB\n"
        "\n"
        "Gateway dialin: clients have 2 of 4094 addresses, 1 are held for a moment.\n"
        "\n"
        "Every session would survive the loss of its gateway.\n");
}

TEST(StatusViewTest, NamesAWitnessWhereThereIsOne) {
    json status = sample_status();
    json& witness = status["gateways"][0]["lease"]["witness"];
    witness["received_ms"] = nullptr;
    witness["round_trip_ms"] = nullptr;
    EXPECT_THAT(render_status(status, false), HasSubstr("\nWitness wit1: no answer yet.\n\n"));
    witness = nullptr;
    EXPECT_THAT(render_status(status, false), Not(HasSubstr("Witness")));
}

TEST(StatusViewTest, ReportsHowManyFlowsAStandbyMisses) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["role"] = "unpromoted";
    EXPECT_THAT(render_status(status, false), HasSubstr(" 412, 12 of them here "));
    gateway["conntrack"]["installed"] = 412;
    EXPECT_THAT(render_status(status, false), HasSubstr(" 412    0 "));
    gateway["conntrack"]["replicated"] = false;
    EXPECT_THAT(render_status(status, false), HasSubstr(" off "));
}

TEST(StatusViewTest, ReportsWhatAPromotedNodesGateDropped) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["gate_drops"]["in"]["expired"] = 3;
    gateway["gate_drops"]["out"]["expired"] = 2;
    gateway["gate_drops"]["out"]["ending"] = 4;
    EXPECT_THAT(
        render_status(status, false),
        HasSubstr("\n\nGateway dialin: 5 packets were dropped here because the lease had run "
                  "out.\nGateway dialin: 4 ends of TCP connections were held back here.\n"
                  "\nEvery session"));
    gateway["role"] = "unpromoted";
    EXPECT_THAT(render_status(status, false), testing::Not(HasSubstr("dropped")));
}

TEST(StatusViewTest, AStandbyDoesNotClaimThatSessionsAreProtected) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["role"] = "unpromoted";
    gateway["promoted_node"] = 2;
    gateway["sessions"] = {{"total", 2},       {"protected", 0}, {"resumed", 0},
                           {"unprotected", 0}, {"hot", 2},       {"quarantined", 0}};
    EXPECT_THAT(render_status(status, false),
                EndsWith("\nNothing is amiss here; ask the promoted node about sessions: gw2 "
                         "(2).\n"));
    EXPECT_EQ(render_check(status),
              "VPNHA OK - 1 gateways, 2 sessions; ask gw2 (2) whether they are protected\n");
    // Sessions that are in no record are seen by the promoted node only.
    gateway["sessions"]["total"] = 0;
    EXPECT_THAT(render_status(status, false), Not(HasSubstr("Every session")));
    status["gateways"].push_back(sample_status()["gateways"][0]);
    EXPECT_THAT(render_status(status, false), Not(HasSubstr("Every session")));
}

TEST(StatusViewTest, ReportsForWhomAndHowLongANodeActs) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["role"] = "standing-in";
    gateway["standing_in"] = true;
    gateway["standing_in_for"] = 2;
    gateway["standing_in_ms"] = 9'999;
    gateway["promoted_node"] = nullptr;
    std::string text = render_status(status, false);
    EXPECT_THAT(text,
                HasSubstr("stands in (for gw2 (2), since 9 s; not yet promoted by Pacemaker)"));
    EXPECT_THAT(text, Not(HasSubstr("this node stands in")));
    EXPECT_THAT(text, Not(HasSubstr("no node is promoted")));
    gateway["standing_in_ms"] = 12'000;
    text = render_status(status, false);
    EXPECT_THAT(text, HasSubstr("gateway dialin: this node stands in for gw2 (2), since 12 s; not "
                                "yet promoted by Pacemaker"));
}

TEST(StatusViewTest, CheckIsOneLineWorstFirst) {
    EXPECT_EQ(render_check(sample_status()), "VPNHA OK - 1 gateways, 2 sessions, all protected\n");
    json status = sample_status();
    status["gateways"][0]["standbys"] = json::array();
    EXPECT_EQ(render_check(status), "VPNHA WARNING - gateway dialin: no node could take over\n");
    status["gateways"][0]["promoted_node"] = nullptr;
    EXPECT_EQ(render_check(status),
              "VPNHA CRITICAL - gateway dialin: no node is promoted; gateway dialin: no node could "
              "take over\n");
}

}  // namespace status_view_test
}  // namespace vpnha::cli
