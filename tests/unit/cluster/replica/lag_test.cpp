// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/replica/lag.hpp"

#include <gmock/gmock.h>

#include "group.hpp"

namespace vpnha::replica {
namespace lag_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Eq;
using ::testing::Optional;

constexpr TimePoint kStart{seconds(100)};

TEST(LagTest, CountsFromTheOldestThatIsNotConfirmed) {
    Lag lag;
    EXPECT_EQ(lag.since(), std::nullopt);
    lag.on_sent(3, kStart);
    lag.on_sent(3, kStart + seconds(1));
    lag.on_sent(5, kStart + seconds(2));
    lag.on_confirmed(2);
    EXPECT_THAT(lag.since(), Optional(kStart));
    lag.on_confirmed(3);
    EXPECT_THAT(lag.since(), Optional(kStart + seconds(2)));
    lag.on_confirmed(5);
    EXPECT_EQ(lag.since(), std::nullopt);
}

TEST(LagTest, OfMoreThanItHasRoomForTheNewestCountsAsOlder) {
    Lag lag;
    for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence) {
        lag.on_sent(sequence, kStart + milliseconds(sequence));
    }
    lag.on_confirmed(999);
    EXPECT_THAT(lag.since(), Optional(kStart + milliseconds(256)));
    lag.on_confirmed(1000);
    EXPECT_EQ(lag.since(), std::nullopt);
}

TEST(LagTest, AReplicaHasOneAsLongAsAStandbyHasNotConfirmed) {
    Group group = three_with_first_promoted();
    group.split({});  // Standbys introduce themselves anew: they are complete by now.
    EXPECT_THAT(group.at(1).lag(group.now()), Optional(Eq(Duration::zero())));
    EXPECT_EQ(group.at(2).lag(group.now()), std::nullopt) << "it is not promoted";
    group.at(1).publish(key(1), Bytes{1});
    // Nothing of it reaches anybody yet.
    const Effects emitted = group.at(1).flush(group.now());
    EXPECT_THAT(group.at(1).lag(group.now() + seconds(3)), Optional(Eq(Duration(seconds(3)))));
    group.run(NodeId{1}, Effects(emitted));
    group.settle();
    EXPECT_THAT(group.at(1).lag(group.now() + seconds(3)), Optional(Eq(Duration::zero())));
}

}  // namespace lag_test
}  // namespace vpnha::replica
