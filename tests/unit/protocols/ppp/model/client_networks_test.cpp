// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/client_networks.hpp"

#include <gmock/gmock.h>

#include <string>

namespace vpnha::ppp {
namespace client_networks_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<IpPrefix> nets(std::initializer_list<const char*> texts) {
    std::vector<IpPrefix> all;
    for (const char* const text : texts) {
        all.push_back(parse_ip_prefix(text).value());
    }
    return all;
}

class ClientNetworksTest : public ::testing::Test {
  protected:
    // What was asked for since the last time: "7 v6 on".
    std::vector<std::string> asked() { return std::exchange(asked_, {}); }

    static constexpr GatewayId kFirst{7}, kSecond{8};
    bool fails_ = false;
    std::vector<std::string> asked_;
    ClientNetworks networks_{[this](GatewayId gateway, bool is_v6, bool are_there) -> Result<void> {
        asked_.push_back(std::to_string(gateway.value) + (is_v6 ? " v6" : " v4") +
                         (are_there ? " on" : " off"));
        return fails_ ? fail(Errc::system, "no rule") : Result<void>();
    }};
};

TEST_F(ClientNetworksTest, TheFirstNeedsARuleAndTheLastTakesItAway) {
    const auto both = nets({"10.99.0.0/16", "2001:db8:51::/48"});
    ASSERT_TRUE(networks_.add(kFirst, both));
    EXPECT_THAT(asked(), ElementsAre("7 v4 on", "7 v6 on"));
    ASSERT_TRUE(networks_.add(kFirst, both));
    EXPECT_THAT(asked(), IsEmpty());
    ASSERT_TRUE(networks_.add(kSecond, nets({"2001:db8:52::/48"})));
    EXPECT_THAT(asked(), ElementsAre("8 v6 on"));
    networks_.remove(kFirst, both);
    EXPECT_THAT(asked(), IsEmpty());
    networks_.remove(kFirst, both);
    EXPECT_THAT(asked(), ElementsAre("7 v4 off", "7 v6 off"));
    ASSERT_TRUE(networks_.add(kFirst, nets({"10.99.0.0/16"})));
    EXPECT_THAT(asked(), ElementsAre("7 v4 on"));
}

TEST_F(ClientNetworksTest, WhatFailsCountsAndIsTakenBackForEachFamily) {
    const auto both = nets({"10.99.0.0/16", "2001:db8:51::/48"});
    fails_ = true;
    const auto failed = networks_.add(kFirst, both);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().detail, "no rule");
    EXPECT_THAT(asked(), ElementsAre("7 v4 on", "7 v6 on")) << "what is said is taken back";
    networks_.remove(kFirst, both);
    EXPECT_THAT(asked(), ElementsAre("7 v4 off", "7 v6 off"));
}

TEST_F(ClientNetworksTest, RulesForThePoolsLeadToWhatLiesWithinThem) {
    const auto pools = nets({"10.200.0.0/16", "2001:db8:200::/48"});
    EXPECT_EQ(networks_outside(pools, nets({"10.200.1.2/32", "10.0.0.0/8", "2001:db8:200:51::/64",
                                            "2001:db8:200::/40", "2001:db8:51::/64"})),
              nets({"10.0.0.0/8", "2001:db8:200::/40", "2001:db8:51::/64"}));
    EXPECT_THAT(networks_outside(pools, {}), IsEmpty());
}

}  // namespace client_networks_test
}  // namespace vpnha::ppp
