// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/accounts/account_queue.hpp"

#include <gmock/gmock.h>

namespace vpnha::keepers {
namespace account_queue_test {

using node::AccountingAnswered;
using node::AccountingResult;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};
constexpr AccountId kFirst{1, {1, NodeId{1}}, 1};
constexpr AccountId kSecond{1, {1, NodeId{1}}, 2};

class AccountQueueTest : public ::testing::Test {
  protected:
    // Sends the next one, if there is one.
    std::optional<AccountId> send(TimePoint now) {
        const auto id = queue_.take(now);
        if (id) {
            queue_.send(*id, ++ticket_);
        }
        return id;
    }
    std::optional<AccountId> answer(AccountingResult result, TimePoint now) {
        return queue_.finish({ticket_, result, ""}, now);
    }

    AccountQueue queue_;
    std::uint64_t ticket_ = 0;
};

TEST_F(AccountQueueTest, OneIsUnderWayAtATimeInTheOrderOfTheirTimes) {
    queue_.put(kSecond, kStart);
    queue_.put(kFirst, kStart + seconds(5));
    EXPECT_EQ(queue_.next_deadline(), kStart);
    EXPECT_FALSE(send(kStart - seconds(1)).has_value());
    EXPECT_EQ(send(kStart), kSecond);
    EXPECT_FALSE(queue_.next_deadline().has_value());
    EXPECT_FALSE(send(kStart + seconds(9)).has_value());
    EXPECT_FALSE(queue_.finish({ticket_ + 1, AccountingResult::answered, ""}, kStart).has_value());
    EXPECT_EQ(answer(AccountingResult::answered, kStart), kSecond);
    EXPECT_FALSE(answer(AccountingResult::answered, kStart).has_value());
    EXPECT_EQ(queue_.next_deadline(), kStart + seconds(5));
    queue_.put(kFirst, kStart + seconds(7));
    EXPECT_FALSE(send(kStart + seconds(6)).has_value());
    queue_.erase(kFirst);
    EXPECT_FALSE(queue_.next_deadline().has_value());
}

TEST_F(AccountQueueTest, SilentServersAreTriedMoreAndMoreSeldom) {
    queue_.put(kFirst, kStart);
    queue_.put(kSecond, kStart);
    TimePoint now = kStart;
    std::vector<long> pauses;
    AccountId expected = kFirst;
    for (int i = 0; i < 9; ++i) {
        ASSERT_EQ(send(now), expected);
        // The others have their turn.
        expected = expected == kFirst ? kSecond : kFirst;
        now += seconds(9);
        ASSERT_TRUE(answer(AccountingResult::silent, now).has_value());
        EXPECT_TRUE(queue_.is_silent());
        ASSERT_TRUE(queue_.next_deadline().has_value());
        EXPECT_FALSE(send(*queue_.next_deadline() - Duration(1)).has_value());
        pauses.push_back(
            std::chrono::duration_cast<seconds>(*queue_.next_deadline() - now).count());
        now = *queue_.next_deadline();
    }
    EXPECT_THAT(pauses, ::testing::ElementsAre(1, 2, 4, 8, 16, 32, 60, 60, 60));
    ASSERT_TRUE(send(now).has_value());
    ASSERT_TRUE(answer(AccountingResult::answered, now).has_value());
    EXPECT_FALSE(queue_.is_silent());
    EXPECT_EQ(send(now), expected == kFirst ? kSecond : kFirst);
}

TEST_F(AccountQueueTest, ARequestThatNobodyTakesWaitsAlone) {
    queue_.put(kFirst, kStart);
    queue_.put(kSecond, kStart);
    ASSERT_EQ(send(kStart), kFirst);
    ASSERT_TRUE(answer(AccountingResult::failed, kStart).has_value());
    EXPECT_FALSE(queue_.is_silent());
    ASSERT_EQ(send(kStart), kSecond);
    ASSERT_TRUE(answer(AccountingResult::answered, kStart).has_value());
    EXPECT_EQ(queue_.next_deadline(), kStart + limits::kAccountAgainMax);
}

}  // namespace account_queue_test
}  // namespace vpnha::keepers
