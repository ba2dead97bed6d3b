// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/status_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(StatusViewTest, ShowsAHealthyNodeOnOneScreen) {
    EXPECT_EQ(
        render_status(sample_status(), false),
        "Node gw1 (1), vpnha 0.1.0, 3 of the cluster's nodes run vpnhad.\n"
        "\n"
        "GATEWAY  ROLE HERE  PROMOTED  STANDBYS          REPLICA   GATE  SESSIONS  PROTECTED  "
        "RESUMED  EPOCH\n"
        "dialin   promoted   gw1 (1)   gw2 (2), gw3 (3)  complete  open  2         2          "
        "1        3.1\n"
        "\n"
        "Every session would survive the loss of its gateway.\n");
}

struct Change {
    const char* pointer;
    json value;
    Health health;
    const char* words;
};

TEST(StatusViewTest, SaysWhatIsAmiss) {
    const Change cases[] = {
        {"/gateways/0/promoted_node", nullptr, Health::critical, "no node is promoted"},
        {"/gateways/0/gate", "shut", Health::critical, "its gate is shut"},
        {"/gateways/0/standbys", json::array(), Health::degraded, "no node could take over"},
        {"/gateways/0/sessions/protected", 1, Health::degraded,
         "1 of 2 sessions are not protected"},
        {"/gateways/0/sessions/quarantined", 3, Health::degraded, "3 records cannot be applied"},
        {"/gateways/0/role", "detached", Health::degraded, "does not take part"},
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

TEST(StatusViewTest, AnUnpromotedNodeIsJudgedByItsReplica) {
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
}

TEST(StatusViewTest, CheckIsOneLineWorstFirst) {
    EXPECT_EQ(render_check(sample_status()), "VPNHA OK - 1 gateways, 2 sessions\n");
    json status = sample_status();
    status["gateways"][0]["standbys"] = json::array();
    EXPECT_EQ(render_check(status), "VPNHA WARNING - gateway dialin: no node could take over\n");
    status["gateways"][0]["promoted_node"] = nullptr;
    EXPECT_EQ(render_check(status),
              "VPNHA CRITICAL - gateway dialin: no node is promoted; gateway dialin: no node could "
              "take over\n");
}

TEST(PeersViewTest, ShowsWhoDoesWhat) {
    EXPECT_EQ(render_peers(sample_status(), false),
              "ID  NODE             WIRE VERSION  PROMOTED FOR  STANDBY FOR\n"
              "1   gw1 (this node)  1             dialin\n"
              "2   gw2              1                           dialin\n"
              "3   gw3              1                           dialin\n");
}

}  // namespace
}  // namespace vpnha::cli
