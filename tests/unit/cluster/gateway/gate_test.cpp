// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "base/limits.hpp"

namespace vpnha::node {
namespace gate_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr TimePoint kStart{seconds(1000)};
constexpr GatewayId kGateway{1};
constexpr Epoch kEpoch{3, NodeId{1}};
constexpr SideMacs kMacs{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

class GateTest : public ::testing::Test {
  protected:
    // The only effect since the last call, if it is that one.
    template <class What>
    std::optional<What> only() {
        const Effects made = std::exchange(effects_, {});
        return made.size() == 1 && find<What>(made.front()) != nullptr
                   ? std::optional(*find<What>(made.front()))
                   : std::nullopt;
    }

    Gate gate_{kGateway};
    Effects effects_;
};

TEST_F(GateTest, FollowsTheLeaseFromItsStepOnAndUntilItIsKeptShut) {
    gate_.on_deadline(kStart + milliseconds(300), effects_);
    EXPECT_THAT(effects_, IsEmpty()) << "its step comes first";
    gate_.open(kEpoch, kEpoch, kStart + milliseconds(300), effects_);
    const std::optional<RunStep> opened = only<RunStep>();
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->step, takeover::Step::open_gate);
    EXPECT_EQ(opened->deadline, kStart + milliseconds(300));
    gate_.on_deadline(kStart + milliseconds(400), effects_);
    const std::optional<SetGate> set = only<SetGate>();
    ASSERT_TRUE(set);
    EXPECT_EQ(set->deadline, kStart + milliseconds(400));
    gate_.on_lease_ended(effects_);
    EXPECT_THAT(effects_, IsEmpty()) << "a lease that ended has no deadline: that shuts it";
    gate_.keep_shut();
    gate_.on_deadline(kStart + milliseconds(500), effects_);
    EXPECT_THAT(effects_, IsEmpty());
    gate_.shut(kEpoch, {}, effects_);
    const std::optional<RunStep> shut = only<RunStep>();
    ASSERT_TRUE(shut);
    EXPECT_EQ(shut->step, takeover::Step::shut_gate);
}

TEST_F(GateTest, WithoutADeadlineItIsShutWhateverItFollows) {
    gate_.on_deadline({}, effects_);
    const std::optional<SetGate> set = only<SetGate>();
    ASSERT_TRUE(set);
    EXPECT_EQ(set->deadline, TimePoint{});
    gate_.on_lease_ended(effects_);
    EXPECT_TRUE(only<SetGate>()) << "what it holds is dropped";
}

TEST_F(GateTest, LetsOutWhatIsWithinForASuccessorWhoseDevicesAreKnown) {
    gate_.let_out({}, milliseconds(50), kStart + milliseconds(300), kStart, effects_);
    EXPECT_TRUE(only<SetGate>());
    EXPECT_EQ(gate_.lets_out_until(), std::nullopt);
    gate_.let_out(kMacs, milliseconds(50), kStart + milliseconds(20), kStart, effects_);
    const std::optional<LeaveGate> left = only<LeaveGate>();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->shut_at, kStart + milliseconds(20)) << "the lease ends sooner";
    EXPECT_EQ(left->until, kStart + limits::kSendsOn);
    EXPECT_EQ(gate_.next_deadline(), kStart + milliseconds(20));
    EXPECT_FALSE(gate_.has_left(kStart + milliseconds(19)));
    EXPECT_TRUE(gate_.has_left(kStart + milliseconds(20)));
    EXPECT_FALSE(gate_.has_left(kStart + milliseconds(21))) << "once";
}

TEST_F(GateTest, HoldsWhatComesForAClaimAndGivesItBackWhenTheSessionsTakePackets) {
    gate_.hold({}, kMacs, kStart, effects_);
    EXPECT_THAT(effects_, IsEmpty()) << "nobody can send on to it";
    gate_.hold(kMacs, kMacs, kStart, effects_);
    EXPECT_TRUE(only<HoldGate>());
    gate_.open(kEpoch, kEpoch, kStart, effects_);
    EXPECT_THAT(effects_, SizeIs(1));
    effects_.clear();
    gate_.hold(kMacs, kMacs, kStart, effects_);
    EXPECT_THAT(effects_, IsEmpty()) << "it serves";
    gate_.give_back(true, kStart, effects_);
    EXPECT_THAT(effects_, IsEmpty()) << "it is not open yet";
    gate_.begin_giving_back(kStart);
    gate_.give_back(false, kStart, effects_);
    EXPECT_THAT(effects_, IsEmpty());
    gate_.give_back(true, kStart, effects_);
    EXPECT_TRUE(only<GiveBack>());
    EXPECT_FALSE(gate_.gives_back());
    gate_.begin_giving_back(kStart);
    gate_.give_back(false, kStart + limits::kCallsResume, effects_);
    EXPECT_TRUE(only<GiveBack>()) << "nobody waits for longer";
}

TEST_F(GateTest, AnOlderEpochNeverOpensIt) {
    gate_.open(kEpoch, kEpoch, kStart, effects_);
    gate_.keep_shut();
    EXPECT_DEATH(gate_.open({2, NodeId{9}}, kEpoch, kStart, effects_), "granted");
}

TEST_F(GateTest, ItsStepShutsNoGateThatFollowsTheLease) {
    gate_.open(kEpoch, kEpoch, kStart, effects_);
    EXPECT_DEATH(gate_.shut(kEpoch, {}, effects_), "follows");
}

}  // namespace gate_test
}  // namespace vpnha::node
