// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/conntrack_check.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace conntrack_check_test {

using conntrack::Finding;
using conntrack::Settings;
using ::testing::IsEmpty;

// Two gateways, of which the second one may replicate flows.
config::Config config_of(bool replicate) {
    config::Config config;
    config.gateways.resize(2);
    config.gateways.front().conntrack.replicate = false;
    config.gateways.back().conntrack.replicate = replicate;
    return config;
}

// With the kernel's default of events, a small table, and a conntrackd.
Settings bad() {
    return {.ctnetlink = Settings::Ctnetlink::there,
            .events = 2,
            .max = 4096,
            .buckets = 4096,
            .count = 812,
            .conntrackd = 4711,
            .modules = {}};
}

TEST(ConntrackCheckTest, AMachineThatReplicatesNoFlowsIsNotLookedAt) {
    bool read = false;
    EXPECT_THAT(find_in_conntrack(config_of(false),
                                  [&read] {
                                      read = true;
                                      return bad();
                                  }),
                IsEmpty());
    EXPECT_FALSE(read) << "it loads a module";
}

TEST(ConntrackCheckTest, OneGatewayThatReplicatesFlowsIsEnough) {
    EXPECT_EQ(find_in_conntrack(config_of(true), bad).size(), 4U);
    EXPECT_THAT(find_in_conntrack(config_of(true),
                                  [] {
                                      Settings good = bad();
                                      good.events = 1;
                                      good.max = good.buckets = 262'144;
                                      good.conntrackd.reset();
                                      return good;
                                  }),
                IsEmpty());
}

TEST(ConntrackCheckTest, TheLogNamesWhatIsSetAndTheValueToSet) {
    const std::vector<Finding> findings = find_in_conntrack(config_of(true), bad);
    ASSERT_EQ(findings.size(), 4U);
    const effects::Log events = log_of(findings[0]);
    EXPECT_EQ(events.level, LogLevel::error) << "flows of a takeover would be lost";
    EXPECT_EQ(events.text,
              "net.netfilter.nf_conntrack_events is 2; set it to 1: the kernel sends no event of a "
              "flow that was made while nobody listened, and so of none that a standby holds when "
              "it is promoted event=conntrack");
    const effects::Log max = log_of(findings[1]);
    EXPECT_EQ(max.level, LogLevel::warning) << "it replicates, as far as there is room";
    EXPECT_EQ(max.text,
              "net.netfilter.nf_conntrack_max is 4096; set it to 262144: the flows of all gateways "
              "are in every node's table (812 now), and a full one takes neither new flows nor "
              "those of other nodes event=conntrack");
    EXPECT_EQ(log_of(findings[2]).level, LogLevel::warning);
    EXPECT_EQ(log_of(findings[3]).level, LogLevel::warning);
}

}  // namespace conntrack_check_test
}  // namespace vpnha::runtime
