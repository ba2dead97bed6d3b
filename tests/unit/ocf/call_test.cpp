// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "unit/ocf/sample_agent.hpp"

namespace vpnha::ocf {
namespace call_test {

TEST(CallTest, TakesParametersFromTheEnvironmentAndElseTheirDefaults) {
    const Agent agent = sample_agent();
    const Call call(agent, "start", environment({{"OCF_RESKEY_device", "/dev/x"}}));
    EXPECT_EQ(call.parameter("device"), "/dev/x");
    EXPECT_EQ(call.parameter("speed"), "9600");
}

TEST(CallTest, AnEmptyParameterIsAnAbsentOne) {
    const Agent agent = sample_agent();
    const Call call(agent, "start", environment({{"OCF_RESKEY_speed", ""}}));
    EXPECT_EQ(call.parameter("speed"), "9600");
}

TEST(CallTest, InstanceNameHasNoCloneNumber) {
    const Agent agent = sample_agent();
    EXPECT_EQ(Call(agent, "start", environment({{"OCF_RESOURCE_INSTANCE", "gw:2"}})).instance(),
              "gw");
    EXPECT_EQ(Call(agent, "start", environment({{"OCF_RESOURCE_INSTANCE", "gw"}})).instance(),
              "gw");
}

TEST(CallTest, OnlyAMonitorWithoutIntervalIsAProbe) {
    const Agent agent = sample_agent();
    EXPECT_TRUE(Call(agent, "monitor", environment({})).is_probe());
    EXPECT_TRUE(
        Call(agent, "monitor", environment({{"OCF_RESKEY_CRM_meta_interval", "0"}})).is_probe());
    EXPECT_FALSE(
        Call(agent, "monitor", environment({{"OCF_RESKEY_CRM_meta_interval", "2000"}})).is_probe());
    EXPECT_FALSE(Call(agent, "start", environment({})).is_probe());
}

TEST(CallTest, AMonitorKnowsHowThoroughlyToLook) {
    const Agent agent = sample_agent();
    EXPECT_EQ(Call(agent, "monitor", environment({})).check_level(), 0);
    EXPECT_EQ(Call(agent, "monitor", environment({{"OCF_CHECK_LEVEL", "10"}})).check_level(), 10);
    EXPECT_EQ(Call(agent, "monitor", environment({{"OCF_CHECK_LEVEL", "deep"}})).check_level(), 0);
}

TEST(CallTest, KnowsHowLongPacemakerWaits) {
    const Agent agent = sample_agent();
    using std::chrono::seconds;
    EXPECT_EQ(Call(agent, "monitor", environment({})).timeout(), seconds(7));
    EXPECT_EQ(
        Call(agent, "monitor", environment({{"OCF_RESKEY_CRM_meta_timeout", "60000"}})).timeout(),
        seconds(60));
    EXPECT_EQ(
        Call(agent, "start", environment({{"OCF_RESKEY_CRM_meta_timeout", "long"}})).timeout(),
        seconds(20));
    EXPECT_EQ(Call(agent, "validate-all", environment({})).timeout(), seconds(20));
}

TEST(OutcomeTest, ErrorsMapToTheCodesThatPacemakerActsOn) {
    EXPECT_EQ(outcome_of({Errc::invalid_config, "x"}).code, Code::arguments);
    EXPECT_EQ(outcome_of({Errc::permission, "x"}).code, Code::permission);
    EXPECT_EQ(outcome_of({Errc::unsupported, "x"}).code, Code::installed);
    EXPECT_EQ(outcome_of({Errc::timeout, "x"}).code, Code::error);
    EXPECT_EQ(outcome_of({Errc::timeout, "why"}).reason, "why");
}

}  // namespace call_test
}  // namespace vpnha::ocf
