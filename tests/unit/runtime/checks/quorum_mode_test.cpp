// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/checks/quorum_mode.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace quorum_mode_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(QuorumModeTest, ThreeVotersNeedNothingAfterOneLoss) {
    const QuorumMode mode = quorum_mode_of({}, 3);
    EXPECT_EQ(mode.name, "3 voters");
    EXPECT_THAT(mode.after_loss, HasSubstr("a second loss silences"));
    EXPECT_THAT(mode.warning, IsEmpty());
}

TEST(QuorumModeTest, FiveVotersBearTwoLosses) {
    EXPECT_THAT(quorum_mode_of({}, 5).after_loss, HasSubstr("up to 2 losses"));
}

TEST(QuorumModeTest, TwoNodesNeedAConfirmedDeathWithADeviceToo) {
    adapters::QuorumKeys keys;
    keys.two_node = true;
    keys.wait_for_all = true;
    EXPECT_THAT(quorum_mode_of(keys, 2).after_loss, HasSubstr("confirmed"));
    EXPECT_THAT(quorum_mode_of(keys, 2).warning, IsEmpty());
    keys = {};
    keys.device = "net";
    EXPECT_EQ(quorum_mode_of(keys, 2).name, "2 voters and a quorum device");
    EXPECT_THAT(quorum_mode_of(keys, 2).after_loss, HasSubstr("confirmed"));
}

TEST(QuorumModeTest, WarnsOfWhatBuysNothing) {
    EXPECT_THAT(quorum_mode_of({}, 1).warning, HasSubstr("one node"));
    EXPECT_THAT(quorum_mode_of({}, 2).warning, HasSubstr("two_node: 1"));
    adapters::QuorumKeys keys;
    keys.two_node = true;
    EXPECT_THAT(quorum_mode_of(keys, 2).warning, HasSubstr("wait_for_all"));
    keys = {};
    keys.last_man_standing = true;
    EXPECT_THAT(quorum_mode_of(keys, 3).warning, HasSubstr("last_man_standing"));
    keys = {};
    keys.auto_tie_breaker = true;
    EXPECT_THAT(quorum_mode_of(keys, 4).warning, HasSubstr("even split"));
    EXPECT_THAT(quorum_mode_of(keys, 5).warning, IsEmpty());
}

}  // namespace quorum_mode_test
}  // namespace vpnha::runtime
