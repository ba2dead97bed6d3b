// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::cli::drill {
namespace kinds_test {

using ::testing::HasSubstr;

const Timers kThree{.stands_in = true, .lease_ms = 300, .token_ms = 650};
const Timers kPair{.stands_in = false, .lease_ms = 300, .token_ms = 650};

TEST(KindsTest, EachIsFoundByItsName) {
    for (const KindOf& kind : kKinds) {
        EXPECT_EQ(kind_named(kind.name), kind.kind);
        EXPECT_EQ(&kind_of(kind.kind), &kind);
    }
    EXPECT_EQ(kind_named("earthquake"), std::nullopt);
}

TEST(KindsTest, TheLeaseRulesWhereStandbysStandInAndTheTokenWhereNot) {
    EXPECT_THAT(ruled_by(Kind::node_power, kThree, {}).timer, HasSubstr("lease"));
    EXPECT_THAT(ruled_by(Kind::node_power, kThree, {}).timer, HasSubstr("300 ms"));
    EXPECT_THAT(ruled_by(Kind::node_power, kPair, {}).timer, HasSubstr("token (650 ms)"));
    EXPECT_THAT(ruled_by(Kind::partition, kPair, {}).timer, HasSubstr("token"));
}

TEST(KindsTest, TheProbeRulesAHungServiceAndTheLinksTableALostLink) {
    EXPECT_THAT(ruled_by(Kind::service, kThree, {.noticed_ms = 24'000, .served_ms = 25'000}).timer,
                HasSubstr("ocf:vpnha:probe"));
    EXPECT_THAT(ruled_by(Kind::link, kThree, {.noticed_ms = 210, .served_ms = 400}).timer,
                HasSubstr("give_away_after"));
}

TEST(KindsTest, AMoveThatTookLongerThanTheDetectionRules) {
    const Ruled ruled = ruled_by(Kind::link, kThree, {.noticed_ms = 210, .served_ms = 1400});
    EXPECT_THAT(ruled.timer, HasSubstr("known after 210 ms"));
    EXPECT_THAT(ruled.timer, HasSubstr("other 1190 ms"));
    EXPECT_THAT(ruled.set, HasSubstr("crm_mon"));
    // The lease runs while others have only begun to miss the node.
    EXPECT_THAT(ruled_by(Kind::node_power, kThree, {.noticed_ms = 50, .served_ms = 400}).timer,
                HasSubstr("lease"));
}

}  // namespace kinds_test
}  // namespace vpnha::cli::drill
