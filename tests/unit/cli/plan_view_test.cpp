// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/plan_view.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli {
namespace plan_view_test {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

TEST(PlanViewTest, ShowsWhoWouldTakeOverAndWhatItWouldKeep) {
    EXPECT_EQ(render_plan(sample_plan(), false),
              "Gateway dialin without node 1: all 7 sessions continue.\n"
              "NODE     STANDING  PROMOTED  KEPT  LOST\n"
              "gw2 (2)  complete  yes       7     0\n"
              "gw3 (3)  partial   no        5     2\n");
    EXPECT_EQ(lost_sessions(sample_plan()), 0U);
}

TEST(PlanViewTest, AmongEqualsPacemakerIsFree) {
    json plan = sample_plan();
    plan["gateways"][0]["candidates"][1]["may_be_promoted"] = true;
    plan["gateways"][0]["lost"] = 2;
    EXPECT_THAT(render_plan(plan, false), HasSubstr("up to 2 of 7 sessions are lost"));
    EXPECT_THAT(render_plan(plan, false), HasSubstr("gw3 (3)  partial   maybe     5     2"));
    EXPECT_EQ(lost_sessions(plan), 2U);
}

TEST(PlanViewTest, ReportsWhenNobodyIsLeftOrNothingIsTouched) {
    json plan = sample_plan();
    json& gateway = plan["gateways"][0];
    gateway["stays"] = true;
    gateway["without"] = 2;
    EXPECT_THAT(render_plan(plan, false),
                StartsWith("Gateway dialin without node 2: node 1 keeps serving"));
    gateway["stays"] = false;
    gateway["candidates"] = json::array();
    gateway["lost"] = 7;
    EXPECT_EQ(render_plan(plan, false),
              "Gateway dialin without node 2: no node could take over, all 7 sessions are lost.\n");
    gateway["sessions"] = 0;
    gateway["without"] = nullptr;
    EXPECT_EQ(render_plan(plan, false),
              "Gateway dialin without any node: no node could take over.\n");
}

// Of nodes 2 and 3.
std::string cib_status(const std::string& second, const std::string& third) {
    std::string xml = "<status>";
    for (const auto& [node, mark] : {std::pair("2", second), {"3", third}}) {
        xml += fmt::format(
            "<node_state id=\"{0}\" uname=\"gw{0}\"><transient_attributes id=\"{0}\">"
            "<instance_attributes><nvpair name=\"vpnha-probe-other\" value=\"dead\"/>{1}"
            "</instance_attributes></transient_attributes></node_state>",
            node,
            mark.empty() ? ""
                         : fmt::format("<nvpair name=\"vpnha-probe-dialin\" value=\"{}\"/>", mark));
    }
    return xml + "</status>";
}

// Two equal standbys, of which the second would lose two sessions.
json plan_with(const std::string& second, const std::string& third) {
    json plan = sample_plan();
    plan["gateways"][0]["candidates"][1]["may_be_promoted"] = true;
    plan["gateways"][0]["lost"] = 2;
    add_marks(plan, cib_status(second, third));
    return plan;
}

TEST(PlanViewTest, ANodeWhoseServiceIsDeadComesBehindItsEquals) {
    const json plan = plan_with("alive", "dead");
    EXPECT_EQ(render_plan(plan, false),
              "Gateway dialin without node 1: all 7 sessions continue.\n"
              "NODE     STANDING  PROMOTED  KEPT  LOST  SERVICE\n"
              "gw2 (2)  complete  yes       7     0     alive\n"
              "gw3 (3)  partial   no        5     2     dead\n");
    EXPECT_EQ(lost_sessions(plan), 0U);
    EXPECT_EQ(lost_sessions(plan_with("dead", "")), 2U);
    EXPECT_THAT(render_plan(plan_with("dead", ""), false),
                HasSubstr("gw3 (3)  partial   yes       5     2     -"));
}

TEST(PlanViewTest, WhereAllServicesAreDeadOneOfThemIsPromoted) {
    EXPECT_THAT(render_plan(plan_with("dead", "dead"), false),
                HasSubstr("gw2 (2)  complete  maybe     7     0     dead"));
    // A node without the records comes behind a dead service that has them.
    json plan = sample_plan();
    add_marks(plan, cib_status("dead", "alive"));
    EXPECT_THAT(render_plan(plan, false),
                HasSubstr("gw2 (2)  complete  yes       7     0     dead"));
}

TEST(PlanViewTest, WithoutMarksThePlanIsVpnhads) {
    json plan = sample_plan();
    add_marks(plan, fail(Errc::permission, ""));
    add_marks(plan, std::string("no XML"));
    EXPECT_EQ(plan, sample_plan());
    EXPECT_THAT(render_plan(plan_with("", ""), false), testing::Not(HasSubstr("SERVICE")));
}

}  // namespace plan_view_test
}  // namespace vpnha::cli
