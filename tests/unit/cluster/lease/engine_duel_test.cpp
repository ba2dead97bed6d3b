// SPDX-License-Identifier: GPL-2.0-or-later
// 21: two nodes beside a witness have each other marked.
#include <gmock/gmock.h>

#include "unit/cluster/lease/far_cluster.hpp"

namespace vpnha::lease {
namespace engine_duel_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timing kTiming;
const std::vector<NodeId> kPair{NodeId{1}, NodeId{2}};
const std::vector<NodeId> kThree{NodeId{1}, NodeId{2}, kWitness};
constexpr Duration kTrip = milliseconds(5);

Mark mark_of(unsigned node) {
    return {NodeId{node}, boot_of(node)};
}

// Node 1 holds the lease.
class Pair {
  public:
    Pair()
        : net([this](NodeId from, NodeId to) {
              const bool is_way_to_witness = is_witness(from) || is_witness(to);
              return !is_cut || is_way_to_witness ? std::optional(kTrip) : std::nullopt;
          }) {
        net.set_members(kPair);
        for (const unsigned node : {1U, 2U}) {
            net.add(node, Engine({sender_of(node), {}, kPair}, durable_of(kThree), net.now()));
        }
        Durable witness = durable_of(kThree);
        net.add_witness(Witness({kWitness, boot_of(9), Instance{1}}, kTiming,
                                Witness::File{witness, false}, net.now()),
                        milliseconds(5));
        net.live(kTiming.abstention());
        net.promote(1);
        net.live(kTiming.renew);
        EXPECT_TRUE(net.speaks(1));
    }
    void fence(unsigned by, unsigned victim) {
        const Result<Effects> asked = net[by].fence(NodeId{victim}, boot_of(victim), net.now());
        ASSERT_TRUE(asked.has_value()) << asked.error().detail;
        net.run(NodeId{by}, *asked);
    }
    // Each asks for it again and again, `first` a moment before the other one.
    void fence_each_other(unsigned first, Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(50)) {
            for (const unsigned node : {first, 3 - first}) {
                if (!net[node].state().fenced) {
                    fence(node, 3 - node);
                }
            }
            net.live(milliseconds(50));
        }
    }
    [[nodiscard]] const Engine::Fencing& fencing(unsigned node) {
        return *net[node].state().fencing;
    }
    [[nodiscard]] const Marks& marks(unsigned node) { return net[node].voter().state().marks; }

    bool is_cut = false;
    FarCluster net;
};

TEST(EngineDuelTest, OfTwoNodesThatLoseEachOtherTheFirstOneGetsThrough) {
    for (const unsigned first : {1U, 2U}) {
        const unsigned last = 3 - first;
        Pair pair;
        pair.is_cut = true;
        pair.fence_each_other(first, std::chrono::seconds(2));
        EXPECT_TRUE(pair.fencing(first).done) << first;
        EXPECT_THAT(pair.net.witness().engine().voter().state().marks, ElementsAre(mark_of(last)));
        EXPECT_FALSE(pair.fencing(last).agreed);
        EXPECT_TRUE(pair.fencing(last).refused);
        EXPECT_FALSE(pair.net.speaks(last));
        EXPECT_EQ(pair.net.speaks(first), first == 1);
        // What the other one wanted ends nobody when they meet again.
        EXPECT_THAT(pair.marks(last), IsEmpty());
        EXPECT_FALSE(pair.net[last].state().fenced) << "a witness's word";
        pair.is_cut = false;
        pair.net.promote(first);
        pair.net.live(std::chrono::seconds(1));
        EXPECT_TRUE(pair.net[last].state().fenced);
        EXPECT_FALSE(pair.net[first].state().fenced);
        EXPECT_TRUE(pair.net.speaks(first));
    }
}

TEST(EngineDuelTest, OfTwoNodesThatReceiveEachOtherOneIsFenced) {
    for (const unsigned first : {1U, 2U}) {
        Pair pair;
        pair.fence_each_other(first, std::chrono::seconds(2));
        EXPECT_TRUE(pair.fencing(first).done);
        EXPECT_FALSE(pair.net[first].state().fenced);
        EXPECT_TRUE(pair.net[3 - first].state().fenced);
    }
}

TEST(EngineDuelTest, WithoutTheWitnessNobodyIsMarked) {
    Pair pair;
    pair.net.crash_witness();
    pair.fence_each_other(1, std::chrono::seconds(1));
    for (const unsigned node : {1U, 2U}) {
        EXPECT_FALSE(pair.net[node].state().fenced);
        EXPECT_THAT(pair.marks(node), IsEmpty());
        EXPECT_FALSE(pair.fencing(node).refused);
    }
    EXPECT_TRUE(pair.net.speaks(1));
}

TEST(EngineDuelTest, AWitnessThatReportsOnlyThatAllHasRunOutHasMarkedNobody) {
    Pair pair;
    pair.is_cut = true;
    pair.fence(2, 1);
    const MarkAnswer answer{NodeId{1}, boot_of(1), true, pair.net[2].state().voters};
    pair.net.run(NodeId{2}, pair.net[2].on_message({kWitness, boot_of(9), Instance{1}}, answer,
                                                   pair.net.now()));
    EXPECT_FALSE(pair.fencing(2).agreed);
    EXPECT_THAT(pair.fencing(2).run_out, IsEmpty());
}

TEST(EngineDuelTest, ANodeThatIsFencedFencesNobody) {
    Pair pair;
    pair.fence_each_other(1, milliseconds(100));
    const auto refused = pair.net[2].fence(NodeId{1}, boot_of(1), pair.net.now());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::unsupported);
}

}  // namespace engine_duel_test
}  // namespace vpnha::lease
