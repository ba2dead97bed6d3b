// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's traffic control as sessions' rates want it, read back by tc.
#include "services/bandwidth/backend/traffic_control.hpp"

#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace traffic_control_test {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::output_of;

class TrafficControlTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        auto control = TrafficControl::open();
        ASSERT_TRUE(control) << control.error().detail;
        control_.emplace(std::move(*control));
    }
    void set(const Rate& rate) {
        const auto done = control_->set(link(), bandwidth::shaping_of(rate, 1400));
        EXPECT_TRUE(done) << done.error().detail;
    }
    static std::uint32_t link() { return if_nametoindex("out0"); }
    static std::string qdiscs() { return output_of("tc qdisc show dev out0 2>&1"); }
    static std::string filters() { return output_of("tc filter show dev out0 ingress 2>&1"); }

    std::optional<TrafficControl> control_;
};

TEST_F(TrafficControlTest, BothDirectionsAreLimited) {
    set({4'000'000, 2'000'000});
    EXPECT_THAT(qdiscs(), HasSubstr("qdisc tbf 7670: root"));
    EXPECT_THAT(qdiscs(), HasSubstr("rate 4Mbit"));
    EXPECT_THAT(qdiscs(), HasSubstr("qdisc fq_codel 7671: parent 7670:1"));
    EXPECT_THAT(qdiscs(), HasSubstr("flows 64"));
    EXPECT_THAT(qdiscs(), HasSubstr("qdisc ingress ffff:"));
    EXPECT_THAT(filters(), HasSubstr("matchall"));
    EXPECT_THAT(filters(), HasSubstr("rate 2Mbit"));
    EXPECT_THAT(filters(), HasSubstr("action drop"));
}

TEST_F(TrafficControlTest, ARateIsChangedInPlace) {
    set({4'000'000, 2'000'000});
    set({8'000'000, 1'000'000});
    EXPECT_THAT(qdiscs(), HasSubstr("rate 8Mbit"));
    EXPECT_THAT(qdiscs(), HasSubstr("qdisc fq_codel 7671: parent 7670:1"));
    EXPECT_THAT(filters(), HasSubstr("rate 1Mbit"));
    EXPECT_THAT(filters(), Not(HasSubstr("rate 2Mbit")));
    set({8'000'000, 0});
    EXPECT_THAT(qdiscs(), Not(HasSubstr("ingress")));
    set({0, 512'000});
    EXPECT_THAT(qdiscs(), HasSubstr("rate 10Gbit"));
    EXPECT_THAT(filters(), HasSubstr("rate 512Kbit"));
}

TEST_F(TrafficControlTest, WhatAScriptHasMadeGoes) {
    ASSERT_EQ(output_of("tc qdisc add dev out0 root handle 1: htb 2>&1"), "");
    set({4'000'000, 0});
    EXPECT_THAT(qdiscs(), Not(HasSubstr("htb")));
}

TEST_F(TrafficControlTest, NothingIsLeftOfIt) {
    EXPECT_TRUE(control_->remove(link())) << "there is none";
    set({4'000'000, 2'000'000});
    EXPECT_TRUE(control_->remove(link()));
    EXPECT_THAT(qdiscs(), Not(HasSubstr("tbf")));
    EXPECT_THAT(qdiscs(), Not(HasSubstr("ingress")));
    EXPECT_TRUE(control_->remove(link()));
}

}  // namespace traffic_control_test
}  // namespace vpnha::adapters
