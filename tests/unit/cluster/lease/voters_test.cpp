// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/voters.hpp"

#include <gtest/gtest.h>

#include "unit/cluster/lease/cluster.hpp"

namespace vpnha::lease {
namespace voters_test {

VoterList list_of(std::vector<NodeId> nodes, std::uint32_t change = 0) {
    return {{{0, NodeId{1}}, change}, std::move(nodes)};
}

TEST(VotersTest, AMajorityIsMoreThanHalf) {
    struct Case {
        unsigned voters;
        unsigned needed;
    };
    for (const Case& c : {Case{1, 1}, Case{2, 2}, Case{3, 2}, Case{4, 3}, Case{5, 3}, Case{7, 4}}) {
        const Voters voters{list_of(nodes_to(c.voters)), std::nullopt};
        EXPECT_TRUE(voters.majority(nodes_to(c.needed))) << c.voters;
        EXPECT_FALSE(voters.majority(nodes_to(c.needed - 1))) << c.voters;
    }
}

TEST(VotersTest, AListWithoutAVersionNeedsAllItsNodes) {
    const Voters voters{{{}, nodes_to(3)}, std::nullopt};
    EXPECT_FALSE(voters.majority(nodes_to(2)));
    EXPECT_TRUE(voters.majority(nodes_to(3)));
}

TEST(VotersTest, WhoIsNotListedDoesNotCount) {
    const Voters voters{list_of(nodes_to(3)), std::nullopt};
    EXPECT_FALSE(voters.majority({NodeId{1}, NodeId{4}, NodeId{5}}));
}

TEST(VotersTest, DuringAChangeMajoritiesOfBothAreNeeded) {
    const Voters voters{list_of(nodes_to(3)), list_of(nodes_to(4), 1)};
    EXPECT_FALSE(voters.majority(nodes_to(2)));
    EXPECT_FALSE(voters.majority({NodeId{1}, NodeId{4}}));
    EXPECT_TRUE(voters.majority({NodeId{1}, NodeId{2}, NodeId{4}}));
    EXPECT_EQ(voters.all(), nodes_to(4));
}

// What the whole protocol of changes rests on.
TEST(VotersTest, MajoritiesOfListsThatDifferByOneAlwaysMeet) {
    for (unsigned size = 1; size < kVotersMax; ++size) {
        const Voters smaller{list_of(nodes_to(size)), std::nullopt};
        const Voters larger{list_of(nodes_to(size + 1)), std::nullopt};
        for (unsigned mask = 0; mask < 1U << (size + 1); ++mask) {
            std::vector<NodeId> in;
            std::vector<NodeId> out;
            for (const NodeId node : nodes_to(size + 1)) {
                ((mask >> (node.value - 1) & 1) != 0 ? in : out).push_back(node);
            }
            EXPECT_FALSE(smaller.majority(in) && larger.majority(out)) << size << ' ' << mask;
        }
    }
}

TEST(VotersTest, SoundListsAreAscendingAndBounded) {
    EXPECT_TRUE(is_sound(list_of(nodes_to(kVotersMax))));
    EXPECT_FALSE(is_sound(list_of(nodes_to(kVotersMax + 1))));
    EXPECT_FALSE(is_sound(list_of({})));
    EXPECT_FALSE(is_sound(list_of({NodeId{0}, NodeId{1}})));
    EXPECT_FALSE(is_sound(list_of({NodeId{2}, NodeId{1}})));
    EXPECT_FALSE(is_sound(list_of({NodeId{1}, NodeId{1}})));
}

TEST(VotersTest, AChangeAddsOrRemovesExactlyOneNode) {
    EXPECT_TRUE(differ_by_one(list_of(nodes_to(3)), list_of(nodes_to(4))));
    EXPECT_TRUE(differ_by_one(list_of(nodes_to(3)), list_of(nodes_to(2))));
    EXPECT_FALSE(differ_by_one(list_of(nodes_to(3)), list_of(nodes_to(3))));
    EXPECT_FALSE(differ_by_one(list_of(nodes_to(3)), list_of(nodes_to(5))));
    const VoterList replaced = list_of({NodeId{1}, NodeId{2}, NodeId{4}});
    EXPECT_FALSE(differ_by_one(list_of(nodes_to(3)), replaced));
    EXPECT_FALSE(is_sound(Voters{list_of(nodes_to(3)), replaced}));
}

TEST(VotersTest, OneWitnessBesideTwoNodes) {
    EXPECT_TRUE(is_sound(list_of({NodeId{1}, NodeId{2}, kWitness})));
    EXPECT_FALSE(is_sound(list_of({NodeId{1}, NodeId{2}, NodeId{3}, kWitness})));
    for (const NodeId other : {NodeId{kWitness.value + 1}, kWitnessLast}) {
        EXPECT_FALSE(is_sound(list_of({NodeId{1}, NodeId{2}, other})));
        EXPECT_FALSE(is_sound(list_of({NodeId{1}, kWitness, other})));
    }
    EXPECT_FALSE(is_witness(NodeId{kWitness.value - 1}));
    EXPECT_FALSE(is_witness(NodeId{kWitnessLast.value + 1}));
}

TEST(VotersTest, TheLaterEpochsChangeWinsAndAnEndedChangeIsNewer) {
    const VoterList first = list_of(nodes_to(3));
    VoterList early = list_of(nodes_to(4));
    early.version = {{1, NodeId{1}}, 5};
    VoterList late = list_of(nodes_to(2));
    late.version = {{2, NodeId{2}}, 1};
    const Voters before{first, std::nullopt};
    EXPECT_TRUE((Voters{first, early}).newer_than(before));
    EXPECT_TRUE((Voters{first, late}).newer_than(Voters{first, early}));
    EXPECT_TRUE((Voters{late, std::nullopt}).newer_than(Voters{first, late}));
    EXPECT_FALSE((Voters{first, late}).newer_than(Voters{late, std::nullopt}));
    EXPECT_FALSE(before.newer_than(before));
}

}  // namespace voters_test
}  // namespace vpnha::lease
