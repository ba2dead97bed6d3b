// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/quorum_mode.hpp"

#include <gmock/gmock.h>

#include "cluster/lease/voters.hpp"

namespace vpnha::runtime {
namespace quorum_mode_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(QuorumModeTest, ThreeVotersNeedNothingAfterOneLoss) {
    const QuorumMode mode = quorum_mode_of({}, 3, {});
    EXPECT_EQ(mode.name, "3 voters");
    EXPECT_THAT(mode.after_loss, HasSubstr("a second loss silences"));
    EXPECT_THAT(mode.warning, IsEmpty());
}

TEST(QuorumModeTest, FiveVotersBearTwoLosses) {
    EXPECT_THAT(quorum_mode_of({}, 5, {}).after_loss, HasSubstr("up to 2 losses"));
}

TEST(QuorumModeTest, TwoNodesNeedAConfirmedDeathWithADeviceToo) {
    adapters::QuorumKeys keys;
    keys.two_node = true;
    keys.wait_for_all = true;
    EXPECT_THAT(quorum_mode_of(keys, 2, {}).after_loss, HasSubstr("confirmed"));
    EXPECT_THAT(quorum_mode_of(keys, 2, {}).warning, IsEmpty());
    keys = {};
    keys.device = "net";
    EXPECT_EQ(quorum_mode_of(keys, 2, {}).name, "2 voters and a quorum device");
    EXPECT_THAT(quorum_mode_of(keys, 2, {}).after_loss, HasSubstr("confirmed"));
}

TEST(QuorumModeTest, AWitnessIsAVoterBesideTwoNodes) {
    const config::Witness witness{"wit1", {{"wit1.example.net", 5421}}};
    adapters::QuorumKeys keys;
    keys.two_node = true;
    keys.wait_for_all = true;
    const QuorumMode mode = quorum_mode_of(keys, 2, witness);
    EXPECT_EQ(mode.name, "3 voters, one the witness wit1");
    EXPECT_THAT(mode.after_loss, HasSubstr("nothing is needed; a second loss silences"));
    EXPECT_THAT(mode.warning, IsEmpty());
    EXPECT_THAT(quorum_mode_of({}, 2, witness).warning, HasSubstr("two_node: 1"))
        << "the ring of the node that is left must be quorate";
    const VotersCheck bad = check_voters(keys, {{NodeId{1}, {}, ""}}, witness);
    EXPECT_TRUE(bad.is_error);
    EXPECT_THAT(bad.text, HasSubstr("leave 'witness' and 'witness_name' out of [lease]"));
}

TEST(QuorumModeTest, WarnsOfWhatBuysNothing) {
    EXPECT_THAT(quorum_mode_of({}, 1, {}).warning, HasSubstr("one node"));
    EXPECT_THAT(quorum_mode_of({}, 2, {}).warning, HasSubstr("two_node: 1"));
    adapters::QuorumKeys keys;
    keys.two_node = true;
    EXPECT_THAT(quorum_mode_of(keys, 2, {}).warning, HasSubstr("wait_for_all"));
    keys = {};
    keys.last_man_standing = true;
    EXPECT_THAT(quorum_mode_of(keys, 3, {}).warning, HasSubstr("last_man_standing"));
    keys = {};
    keys.auto_tie_breaker = true;
    EXPECT_THAT(quorum_mode_of(keys, 4, {}).warning, HasSubstr("even split"));
    EXPECT_THAT(quorum_mode_of(keys, 5, {}).warning, IsEmpty());
}

TEST(QuorumModeTest, MoreNodesThanALeaseHasVotersAreAFinding) {
    EXPECT_THAT(quorum_mode_of({}, lease::kVotersMax, {}).warning, IsEmpty());
    const QuorumMode mode = quorum_mode_of({}, lease::kVotersMax + 1, {});
    EXPECT_THAT(mode.warning, HasSubstr("lists 8 nodes, and a lease has at most 7 voters"));
    EXPECT_THAT(mode.name, HasSubstr("8 nodes"));
}

TEST(QuorumModeTest, VotersAreCheckedBeforeTheStart) {
    std::vector<adapters::ClusterNode> nodes;
    for (std::uint32_t id = 1; id <= lease::kVotersMax; ++id) {
        nodes.push_back({NodeId{id}, {}, ""});
    }
    const VotersCheck good = check_voters({}, nodes, {});
    EXPECT_FALSE(good.is_error || good.is_warning);
    EXPECT_THAT(good.text, HasSubstr("7 voters; after the loss of one nothing is needed"));
    nodes.push_back({NodeId{lease::kVotersMax + 1}, {}, ""});
    const VotersCheck bad = check_voters({}, nodes, {});
    EXPECT_TRUE(bad.is_error);
    EXPECT_THAT(bad.text, HasSubstr("take nodes out of corosync.conf"));
    const VotersCheck one = check_voters({}, {nodes[0]}, {});
    EXPECT_TRUE(one.is_warning);
    EXPECT_THAT(one.text, HasSubstr("nobody to take over"));
    EXPECT_TRUE(check_voters({}, {}, {}).is_error);
}

}  // namespace quorum_mode_test
}  // namespace vpnha::runtime
