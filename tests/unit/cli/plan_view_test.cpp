// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/plan_view.hpp"

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
              "Gateway dialin without node 1: all 7 sessions go on.\n"
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

TEST(PlanViewTest, SaysWhenNobodyIsLeftOrNothingIsTouched) {
    json plan = sample_plan();
    json& gateway = plan["gateways"][0];
    gateway["stays"] = true;
    gateway["without"] = 2;
    EXPECT_THAT(render_plan(plan, false),
                StartsWith("Gateway dialin without node 2: node 1 goes on serving"));
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

}  // namespace plan_view_test
}  // namespace vpnha::cli
