// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/status_view.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace findings_test {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Change {
    const char* pointer;
    json value;
    Health health;
    const char* words;
};

TEST(FindingsTest, ReportWhatIsAmiss) {
    const Change cases[] = {
        {"/gateways/0/promoted_node", nullptr, Health::critical, "no node is promoted"},
        {"/gateways/0/gate", "shut", Health::critical, "its gate is shut"},
        {"/gateways/0/links/outside", "no-carrier", Health::degraded,
         "the outside link of this node has no carrier"},
        {"/gateways/0/links/inside", "no-answer", Health::degraded,
         "no neighbour answers on the inside link"},
        {"/gateways/0/links/inside", "unknown", Health::degraded, "no neighbour answers"},
        {"/gateways/0/links/inside", "settling", Health::degraded, "lost a short time ago"},
        {"/gateways/0/lease/votes/1/counts", false, Health::degraded,
         "the vote of gw3 (3) does not count here: it does not answer this node's rounds"},
        {"/gateways/0/lease/reserve", 0, Health::degraded, "one more vote lost, of 3"},
        {"/gateways/0/lease/leaving",
         {3, 9},
         Health::degraded,
         "gw3 (3), node 9 is no longer in corosync.conf, and votes until the holder of the lease "
         "has changed the voters: vpnhad has to run there until then"},
        {"/gateways/0/lease/saves", false, Health::degraded, "this node does not vote"},
        {"/gateways/0/lease/witness/answers", false, Health::degraded,
         "gateway dialin: the witness wit1 does not answer: look whether vpnha-witness runs there"},
        {"/gateways/0/lease/witness/differing", true, Health::degraded,
         "the nodes' vpnha.toml name different witnesses"},
        {"/gateways/0/lease/witness/two", true, Health::degraded,
         "two witnesses answer with the key of wit1, so neither counts"},
        {"/gateways/0/standbys", json::array(), Health::degraded, "no node could take over"},
        {"/gateways/0/routing",
         {"table 1001 is that of the VRF mgmt"},
         Health::degraded,
         "gateway dialin: this node: table 1001 is that of the VRF mgmt"},
        {"/gateways/0/ipsec/warning", "its port is taken", Health::degraded,
         "gateway dialin: IPsec on this node: its port is taken"},
        {"/gateways/0/sessions/protected", 1, Health::degraded,
         "1 of 2 sessions are not protected"},
        {"/gateways/0/sessions",
         {{"total", 2},
          {"protected", 1},
          {"resumed", 0},
          {"quarantined", 0},
          {"reason", "its queue"}},
         Health::degraded,
         "gateway dialin: 1 of 2 sessions are not protected: its queue"},
        {"/gateways/0/sessions/quarantined", 3, Health::degraded, "3 records cannot be applied"},
        {"/gateways/0/records/unknown", 2, Health::degraded, "2 records are of a later release"},
        {"/gateways/0/role", "detached", Health::degraded, "does not take part"},
        {"/restarts/votes_only", true, Health::degraded, "only votes on this node"},
        {"/admission/causes",
         {"conntrack", "memory"},
         Health::degraded,
         "accepts no new clients: too much of its conntrack, memory is used"},
        {"/devices",
         {{{"interface", "ve7"}, {"state", "barred"}, {"reason", "it has an ingress qdisc"}}},
         Health::degraded,
         "device ve7 cannot have the gate, and carries no gateway"},
        {"/devices",
         {{{"interface", "ve7"}, {"state", "port"}, {"reason", "it has an ingress qdisc"}}},
         Health::degraded,
         "device ve7 could not have the gate when it leaves its bridge or bond: it has an"},
        {"/devices",
         {{{"interface", "eth9"}, {"state", "refused"}, {"reason", "no memory"}}},
         Health::degraded,
         "the kernel refuses the gate on device eth9"},
        {"/constraints",
         {{{"id", "cli-prefer-x"}, {"text", "constraint cli-prefer-x overrides"}}},
         Health::degraded,
         "constraint cli-prefer-x overrides"},
        {"/quorate", false, Health::critical, "no quorum"},
        {"/quorum/warning", "of two nodes", Health::degraded, "of two nodes"},
        {"/encryption",
         {{"on", false}, {"allowed_off", false}, {"reason", "totem.crypto_cipher is none"}},
         Health::critical,
         "because corosync sends unencrypted: totem.crypto_cipher is none"},
        {"/encryption",
         {{"on", false}, {"allowed_off", true}, {"reason", "totem.crypto_cipher is none"}},
         Health::degraded,
         "replicated unencrypted"},
        {"/members/2/compatible", false, Health::degraded,
         "gw3 (3) speaks no wire version of this node's"},
        {"/stray_sessions",
         {{"count", 2}, {"reason", "pppd has no option vpnha_gateway"}},
         Health::degraded,
         "no gateway keeps 2 sessions of this node: pppd has no option vpnha_gateway"},
        {"/differences",
         {{{"node", 2}, {"gateway", "dialin"}, {"item", "pools"}, {"weight", "session"}}},
         Health::degraded,
         "gateway dialin: gw2 (2) differs from this node in pools"},
    };
    EXPECT_TRUE(findings_of(sample_status()).empty());
    for (const Change& change : cases) {
        json status = sample_status();
        status[json::json_pointer(change.pointer)] = change.value;
        const std::vector<Finding> findings = findings_of(status);
        ASSERT_EQ(findings.size(), 1U) << change.pointer;
        EXPECT_EQ(findings[0].health, change.health) << change.pointer;
        EXPECT_THAT(findings[0].text, HasSubstr(change.words));
        EXPECT_THAT(render_status(status, false), HasSubstr(findings[0].text));
    }
}

TEST(FindingsTest, AStoppedGatewayThatKeepsItsRecordsHasItsReason) {
    json status = sample_status();
    status["gateways"][0]["role"] = "stopped";
    status["gateways"][0]["blockers"] = {"it was stopped"};
    const std::vector<Finding> findings = findings_of(status);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].health, Health::degraded);
    EXPECT_THAT(findings[0].text, HasSubstr("this node: it was stopped"));
}

TEST(FindingsTest, APromotedNodeWithoutAMajorityOfVotersReportsWhoIsMissing) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["gate"] = "shut";
    gateway["lease"]["voters"] = {1, 8, 9};
    EXPECT_THAT(findings_of(status)[0].text,
                AllOf(HasSubstr("no majority of 3 voters is left without node 8, node 9"),
                      Not(HasSubstr("confirm-dead"))));
    gateway["lease"]["voters"] = {1, 9};
    EXPECT_THAT(findings_of(status)[0].text, HasSubstr("vpnha confirm-dead 9 --it-is-off"));
}

TEST(FindingsTest, AWitnessThatIsReceivedIsAVoterThatIsThere) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["gate"] = "shut";
    gateway["lease"]["voters"] = {1, 9, 4294901761};
    EXPECT_THAT(findings_of(status).front().text, Not(HasSubstr("no majority")));
    gateway["lease"]["witness"]["answers"] = false;
    EXPECT_THAT(findings_of(status).front().text,
                HasSubstr("no majority of 3 voters is left without node 9, the witness"));
}

TEST(FindingsTest, ANodeWithoutAMemoryReportsForWhomItWaitsAndWhatEndsIt) {
    json status = sample_status();
    json& lease = status["gateways"][0]["lease"];
    lease["remembers"] = false;
    lease["reserve"] = 0;  // The first grant takes the votes of all.
    EXPECT_TRUE(findings_of(status).empty());
    lease["awaited"] = {2, 9};
    ASSERT_EQ(findings_of(status).size(), 1U);
    EXPECT_THAT(findings_of(status)[0].text,
                AllOf(HasSubstr("the memory of gw2 (2), node 9;"),
                      HasSubstr("vpnha vote-without NODE --it-remembers-nothing")));
    lease["awaited"] = {1};
    EXPECT_THAT(findings_of(status)[0].text, HasSubstr("vpnha vote-without gw1 --it"));
    lease["awaited"] = {2, 9};
    // What else is shut has the same reason.
    status["gateways"][0]["gate"] = "shut";
    lease["voters"] = {1, 9};
    EXPECT_THAT(findings_of(status)[0].text, Not(HasSubstr("confirm-dead")));
}

TEST(FindingsTest, OtherVotersOfTheSameVersionAreCritical) {
    json status = sample_status();
    status["gateways"][0]["lease"]["differing"] = {3};
    ASSERT_EQ(findings_of(status).size(), 1U);
    EXPECT_EQ(findings_of(status)[0].health, Health::critical);
    EXPECT_THAT(findings_of(status)[0].text, HasSubstr("goes by other voters"));
}

TEST(FindingsTest, AClockThatRunsAstrayIsNamed) {
    json status = sample_status();
    status["gateways"][0]["lease"]["clocks_astray"] = {{{"node", 3}, {"rate", 0.67}}};
    ASSERT_EQ(findings_of(status).size(), 1U);
    EXPECT_THAT(findings_of(status)[0].text, HasSubstr("gw3 (3) runs at 0.670 of this node's"));
}

TEST(FindingsTest, AnUnpromotedNodeIsJudgedByItsReplica) {
    json status = sample_status();
    json& gateway = status["gateways"][0];
    gateway["role"] = "unpromoted";
    gateway["promoted_node"] = 2;
    gateway["gate"] = "shut";
    gateway["sessions"]["protected"] = 0;
    EXPECT_TRUE(findings_of(status).empty());
    gateway["replica"] = "partial";
    ASSERT_EQ(findings_of(status).size(), 1U);
    EXPECT_THAT(findings_of(status)[0].text, HasSubstr("replica of this node is partial"));
    gateway["blockers"] = {"asks for a snapshot: gap", "3 records cannot be applied here"};
    ASSERT_EQ(findings_of(status).size(), 2U);
    EXPECT_EQ(findings_of(status)[0].text, "gateway dialin: this node: asks for a snapshot: gap");
}

TEST(FindingsTest, ADifferenceWithoutWeightIsNone) {
    json status = sample_status();
    status["differences"] = {
        {{"node", 2}, {"gateway", nullptr}, {"item", "daemon.log_level"}, {"weight", "note"}}};
    EXPECT_TRUE(findings_of(status).empty());
}

}  // namespace findings_test
}  // namespace vpnha::cli
