// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/ocf/sample_agent.hpp"

namespace vpnha::ocf {
namespace run_test {

using ::testing::HasSubstr;

Report called(const std::string& action,
              std::map<std::string, std::string> variables = {{"OCF_RESKEY_device", "/dev/x"}}) {
    return perform(sample_agent(), action, environment(std::move(variables)));
}

TEST(PerformTest, MetadataAndUsageNeedNoEnvironment) {
    EXPECT_EQ(called("meta-data", {}).code, Code::success);
    EXPECT_THAT(called("usage", {}).output, HasSubstr("start|stop|monitor|meta-data"));
}

TEST(PerformTest, RunsTheActionOfTheTable) {
    EXPECT_EQ(called("start").code, Code::success);
    EXPECT_EQ(called("monitor").code, Code::promoted);
}

TEST(PerformTest, PassesTheReasonOn) {
    const Report report = called("stop");
    EXPECT_EQ(report.code, Code::error);
    EXPECT_EQ(report.reason, "stuck");
}

TEST(PerformTest, AnActionThatTheTableMissesIsUnimplemented) {
    EXPECT_EQ(called("promote").code, Code::unimplemented);
    EXPECT_EQ(called("migrate_to", {}).code, Code::unimplemented);
}

TEST(PerformTest, WithoutAnActionItIsUsedWrongly) {
    EXPECT_EQ(called("").code, Code::arguments);
}

TEST(PerformTest, AMissingParameterIsWrongOnEveryNode) {
    const Report report = called("start", {});
    EXPECT_EQ(report.code, Code::configured);
    EXPECT_THAT(report.reason, HasSubstr("device"));
    EXPECT_EQ(called("monitor", {}).code, Code::configured);
}

TEST(PerformTest, ANumberThatIsNoneIsWrongOnEveryNode) {
    EXPECT_EQ(called("start", {{"OCF_RESKEY_device", "x"}, {"OCF_RESKEY_speed", "fast"}}).code,
              Code::configured);
}

TEST(PerformTest, AWrongReloadableParameterFailsAStartOnThisNodeAlone) {
    Agent agent = sample_agent();
    agent.parameters.back().reloadable = true;
    const auto wrong = environment({{"OCF_RESKEY_device", "x"}, {"OCF_RESKEY_speed", "fast"}});
    EXPECT_EQ(perform(agent, "start", wrong).code, Code::arguments);
    EXPECT_EQ(perform(agent, "validate-all", wrong).code, Code::arguments);
    EXPECT_EQ(perform(agent, "monitor", wrong).code, Code::promoted) << "it runs";
    EXPECT_EQ(perform(agent, "stop", wrong).reason, "stuck") << "so there is something to stop";
}

TEST(PerformTest, StopSucceedsWhereNothingCanHaveBeenStarted) {
    EXPECT_EQ(called("stop", {}).code, Code::success);
}

TEST(PerformTest, ValidateAllAsksTheAgentAfterTheTable) {
    EXPECT_EQ(called("validate-all").code, Code::success);
    EXPECT_EQ(called("validate-all", {}).code, Code::configured);
    EXPECT_EQ(called("validate-all", {{"OCF_RESKEY_device", "absent"}}).code, Code::installed);
}

}  // namespace run_test
}  // namespace vpnha::ocf
