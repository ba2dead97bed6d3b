// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/devices_check.hpp"

#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::runtime {
namespace devices_check_test {

using ::testing::HasSubstr;
using testing::ip_command;
using ::testing::IsEmpty;
using testing::output_of;

class DevicesCheckTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
    }
    std::vector<DeviceFinding> findings(adapters::GateHook hook = adapters::GateHook::clsact) {
        const auto found = find_in_devices(config_, hook);
        EXPECT_TRUE(found);
        return found.value_or(std::vector<DeviceFinding>{});
    }

    config::Config config_;
};

TEST_F(DevicesCheckTest, DevicesWithoutAForeignQdiscAreNoFinding) {
    output_of("tc qdisc add dev out0 clsact");
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(DevicesCheckTest, AGatewaysDeviceIsRefusedBeforeTheStart) {
    output_of("tc qdisc add dev out0 ingress");
    const auto found = findings();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].is_error);
    EXPECT_THAT(found[0].text, HasSubstr("tc qdisc del dev out0 ingress"));
    EXPECT_THAT(findings(adapters::GateHook::tcx), IsEmpty()) << "tcx stands beside it";
}

TEST_F(DevicesCheckTest, AnyOtherDeviceIsAWarningAndAPortToo) {
    ASSERT_TRUE(ip_command("link add third0 type veth peer name far0"));
    output_of("tc qdisc add dev third0 ingress");
    auto found = findings();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_FALSE(found[0].is_error);
    EXPECT_THAT(found[0].text, HasSubstr("it carries no gateway: vpnhad serves"));
    ASSERT_TRUE(ip_command("link add bridge0 type bridge"));
    ASSERT_TRUE(ip_command("link set third0 master bridge0"));
    found = findings();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_FALSE(found[0].is_error);
    EXPECT_THAT(found[0].text, HasSubstr("when it leaves its bridge or bond"));
}

}  // namespace devices_check_test
}  // namespace vpnha::runtime
