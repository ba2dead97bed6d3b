// SPDX-License-Identifier: GPL-2.0-or-later
// 14: questions to voters that are further away than one question is from the next.
#include <gmock/gmock.h>

#include "unit/cluster/lease/far_cluster.hpp"

namespace vpnha::lease {
namespace engine_far_voter_test {

const Timing kTiming;
// A standby waits so long behind the end of its promise.
constexpr Duration kGuard = milliseconds(2);

struct Sites {
    Duration trip;
    Duration jitter{};
    std::set<unsigned> far{3};  // The others are near each other.
    Duration held{};            // Since then node 1 dies.
    unsigned seed = 1;
};

// Of three nodes node 1 serves, and its power is cut; nullopt: node 2 does not stand in within 3 s.
std::optional<Duration> silence_of(const Sites& sites) {
    FarCluster cluster(way_of(sites.trip, sites.jitter, sites.far, sites.seed));
    cluster.set_members(nodes_to(3));
    for (const NodeId node : nodes_to(3)) {
        cluster.add(node.value, Engine({sender_of(node.value), {}, nodes_to(3)},
                                       durable_of(nodes_to(3)), cluster.now()));
    }
    cluster.live(kTiming.abstention());
    cluster.promote(1);
    cluster.live(std::chrono::seconds(1) + sites.held);
    EXPECT_TRUE(cluster.speaks(1));
    cluster.cut_power(1);
    const TimePoint cut = cluster.now();
    const auto free = [&cluster] { return cluster[2].voter().state().promise.until + kGuard; };
    while (cluster.now() < free()) {
        cluster.live(free() - cluster.now());
    }
    cluster.stand_in(2);
    const bool serves =
        cluster.live_until([&cluster] { return cluster.speaks(2); }, std::chrono::seconds(3));
    return serves ? std::optional(cluster.now() - cut) : std::nullopt;
}

// The promise, a question, and two round trips; half of one more where the holder was far, too.
Duration longest(const Sites& sites, int trips = 2) {
    return kTiming.promise(kTiming.lease) + kGuard + kTiming.ask + trips * sites.trip +
           milliseconds(2);
}

TEST(EngineFarVoterTest, AFarVoteIsHadInTwoRoundTrips) {
    for (const int trip : {1, 5, 20, 26, 50, 100}) {
        SCOPED_TRACE(trip);
        for (int held = 0; held < 100; held += 20) {
            const Sites sites{.trip = milliseconds(trip), .held = milliseconds(held)};
            const std::optional<Duration> silence = silence_of(sites);
            ASSERT_TRUE(silence);
            EXPECT_LE(*silence, longest(sites));
        }
    }
}

// Three sites: the holder's last round reaches the two others at different times.
TEST(EngineFarVoterTest, SoItIsWhereAllThreeAreFarFromEachOther) {
    for (const int trip : {5, 26, 50, 100}) {
        SCOPED_TRACE(trip);
        for (int held = 0; held < 100; held += 20) {
            const Sites sites{
                .trip = milliseconds(trip), .far = {1, 2, 3}, .held = milliseconds(held)};
            const std::optional<Duration> silence = silence_of(sites);
            ASSERT_TRUE(silence);
            EXPECT_LE(*silence, longest(sites, 3));
        }
    }
}

TEST(EngineFarVoterTest, JitterCostsAQuestionOrTwo) {
    for (const int trip : {20, 50}) {
        for (const std::set<unsigned>& far : {std::set<unsigned>{3}, {1, 2, 3}}) {
            for (unsigned seed = 1; seed <= 100; ++seed) {
                const Sites sites{.trip = milliseconds(trip),
                                  .jitter = milliseconds(10),
                                  .far = far,
                                  .held = milliseconds(seed),
                                  .seed = seed};
                const std::optional<Duration> silence = silence_of(sites);
                ASSERT_TRUE(silence) << seed;
                EXPECT_LE(*silence, longest(sites, 3) + 2 * kTiming.ask + 6 * sites.jitter) << seed;
            }
        }
    }
}

}  // namespace engine_far_voter_test
}  // namespace vpnha::lease
