// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/keeper/account_queue.hpp"

#include <gmock/gmock.h>

#include "services/accounting/work.hpp"

namespace vpnha::keepers {
namespace account_queue_test {

using node::AccountingAnswered;
using node::AccountingResult;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = AccountQueue::Kind;

constexpr TimePoint kStart{seconds(1000)};
constexpr AccountId kFirst{1, {1, NodeId{1}}, 1};
constexpr AccountId kSecond{1, {1, NodeId{1}}, 2};

class AccountQueueTest : public ::testing::Test {
  protected:
    void put(const AccountId& id, Kind kind, TimePoint at) {
        kinds_[id] = kind;
        queue_.put(id, kind, at);
    }
    // Sends the next one, if there is one.
    std::optional<AccountId> send(TimePoint now) {
        const auto id = queue_.take(now);
        if (id) {
            queue_.send(*id, kinds_.at(*id), ++ticket_, now);
        }
        return id;
    }
    std::optional<AccountId> answer(AccountingResult result, TimePoint now) {
        return queue_.finish({ticket_, result, ""}, now);
    }
    static constexpr AccountId id(std::uint32_t count) { return {1, {1, NodeId{1}}, count}; }

    static constexpr milliseconds kGap{10};
    AccountQueue queue_{100};
    std::map<AccountId, Kind> kinds_;
    std::uint64_t ticket_ = 0;
};

TEST_F(AccountQueueTest, GoesByTheOrderOfTheirTimes) {
    put(kSecond, Kind::interim, kStart);
    put(kFirst, Kind::interim, kStart + seconds(5));
    EXPECT_EQ(queue_.next_deadline(), kStart);
    EXPECT_FALSE(send(kStart - seconds(1)).has_value());
    EXPECT_EQ(send(kStart), kSecond);
    EXPECT_EQ(queue_.next_deadline(), kStart + seconds(5));
    EXPECT_FALSE(send(kStart + seconds(4)).has_value());
    EXPECT_FALSE(queue_.finish({ticket_ + 1, AccountingResult::answered, ""}, kStart).has_value());
    EXPECT_EQ(answer(AccountingResult::answered, kStart), kSecond);
    EXPECT_FALSE(answer(AccountingResult::answered, kStart).has_value());
    EXPECT_EQ(queue_.next_deadline(), kStart + seconds(5));
    put(kFirst, Kind::interim, kStart + seconds(7));
    EXPECT_FALSE(send(kStart + seconds(6)).has_value());
    queue_.erase(kFirst);
    EXPECT_FALSE(queue_.next_deadline().has_value());
}

TEST_F(AccountQueueTest, AServerThatTakes50MsDelaysOneInEight) {
    constexpr std::uint32_t kRequests = 400;
    constexpr milliseconds kServer{50};
    AccountQueue queue(10'000);
    for (std::uint32_t i = 0; i < kRequests; ++i) {
        queue.put(id(i), Kind::interim, kStart);
    }
    std::multimap<TimePoint, std::uint64_t> answers;
    std::size_t under_way = 0;
    std::uint32_t answered = 0;
    TimePoint now = kStart;
    for (; answered < kRequests; now += milliseconds(1)) {
        while (!answers.empty() && answers.begin()->first <= now) {
            ASSERT_TRUE(
                queue.finish({answers.begin()->second, AccountingResult::answered, ""}, now));
            answers.erase(answers.begin());
            ++answered;
        }
        while (const auto next = queue.take(now)) {
            queue.send(*next, Kind::interim, ++ticket_, now);
            answers.emplace(now + kServer, ticket_);
        }
        under_way = std::max(under_way, answers.size());
        ASSERT_LT(now, kStart + seconds(60));
    }
    EXPECT_EQ(under_way, 8U);
    // Each eight of them are sent within a few milliseconds of one another.
    EXPECT_LE(now - kStart, kRequests * kServer / 8 + milliseconds(200));
}

TEST_F(AccountQueueTest, NothingElseOfASessionIsUnderWayBesideItsRequest) {
    put(kFirst, Kind::start, kStart);
    ASSERT_EQ(send(kStart), kFirst);
    const std::uint64_t start = ticket_;
    EXPECT_TRUE(queue_.is_under_way(kFirst));
    // It ends meanwhile.
    put(kFirst, Kind::stop, kStart + kGap);
    queue_.hurry(kFirst);
    put(kSecond, Kind::start, kStart + kGap);
    EXPECT_EQ(send(kStart + seconds(1)), kSecond);
    EXPECT_FALSE(send(kStart + seconds(2)).has_value());
    EXPECT_EQ(queue_.finish({start, AccountingResult::answered, ""}, kStart + seconds(2)), kFirst);
    EXPECT_FALSE(queue_.is_under_way(kFirst));
    EXPECT_EQ(send(kStart + seconds(2)), kFirst) << "it was put while the other was under way";
    EXPECT_FALSE(send(kStart + seconds(3)).has_value());
}

TEST_F(AccountQueueTest, WhatIsErasedWhileARequestIsUnderWayIsNotDue) {
    put(kFirst, Kind::interim, kStart);
    ASSERT_EQ(send(kStart), kFirst);
    put(kFirst, Kind::stop, kStart);
    queue_.erase(kFirst);
    EXPECT_EQ(answer(AccountingResult::answered, kStart), kFirst);
    EXPECT_FALSE(queue_.next_deadline().has_value());
}

TEST_F(AccountQueueTest, OneIsTriedWhileServersAreSilentAndAllPauseOnce) {
    for (std::uint32_t i = 0; i < 20; ++i) {
        put(id(i), Kind::interim, kStart);
    }
    TimePoint now = kStart;
    for (int i = 0; i < 8; ++i, now += kGap) {
        ASSERT_TRUE(send(now).has_value());
    }
    EXPECT_FALSE(send(now).has_value());
    // One after the other, over more than the first pause.
    now += seconds(9);
    const TimePoint silent_at = now;
    for (std::uint64_t ticket = 1; ticket <= 8; ++ticket, now += milliseconds(200)) {
        ASSERT_TRUE(queue_.finish({ticket, AccountingResult::silent, ""}, now).has_value());
    }
    EXPECT_EQ(queue_.next_deadline(), silent_at + seconds(1));
    now = silent_at + seconds(2);
    ASSERT_TRUE(send(now).has_value());
    EXPECT_FALSE(send(now + kGap).has_value()) << "one of them is tried";
    EXPECT_FALSE(queue_.next_deadline().has_value());
    ASSERT_TRUE(answer(AccountingResult::silent, now + seconds(9)).has_value());
    EXPECT_EQ(queue_.next_deadline(), now + seconds(11));
    now += seconds(11);
    ASSERT_TRUE(send(now).has_value());
    ASSERT_TRUE(answer(AccountingResult::answered, now).has_value());
    for (int i = 0; i < 8; ++i) {
        now += kGap;
        EXPECT_TRUE(send(now).has_value());
    }
    EXPECT_FALSE(send(now + kGap).has_value());
}

TEST_F(AccountQueueTest, SilentServersAreTriedMoreAndMoreSeldom) {
    put(kFirst, Kind::interim, kStart);
    put(kSecond, Kind::interim, kStart);
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
    EXPECT_EQ(send(now + kGap), expected == kFirst ? kSecond : kFirst);
}

TEST_F(AccountQueueTest, ARequestThatNobodyTakesWaitsAlone) {
    put(kFirst, Kind::interim, kStart);
    put(kSecond, Kind::interim, kStart);
    ASSERT_EQ(send(kStart), kFirst);
    ASSERT_TRUE(answer(AccountingResult::failed, kStart).has_value());
    EXPECT_FALSE(queue_.is_silent());
    ASSERT_EQ(send(kStart + kGap), kSecond);
    ASSERT_TRUE(answer(AccountingResult::answered, kStart + kGap).has_value());
    EXPECT_EQ(queue_.next_deadline(), kStart + limits::kAccountAgainMax);
}

TEST_F(AccountQueueTest, SendsNoMoreThanSoManyASecond) {
    for (std::uint32_t i = 0; i < 500; ++i) {
        put({1, {1, NodeId{1}}, i}, Kind::stop, kStart);
    }
    int sent = 0;
    for (TimePoint now = kStart; now < kStart + seconds(2); now += milliseconds(1)) {
        if (send(now)) {
            ++sent;
            ASSERT_TRUE(answer(AccountingResult::answered, now).has_value());
            EXPECT_EQ(queue_.next_deadline(), now + kGap);
        }
    }
    EXPECT_EQ(sent, 200);
}

TEST_F(AccountQueueTest, StartsStopsAndInterimsTakeTurns) {
    constexpr AccountId kStarted{9, {1, NodeId{1}}, 1};
    constexpr AccountId kLives{9, {1, NodeId{1}}, 2};
    for (std::uint32_t i = 0; i < 100; ++i) {
        put({1, {1, NodeId{1}}, i}, Kind::stop, kStart);
    }
    put(kStarted, Kind::start, kStart + seconds(1));
    put(kLives, Kind::interim, kStart + seconds(1));
    std::vector<std::optional<AccountId>> sent;
    for (int i = 1; i <= 3; ++i) {
        const TimePoint now = kStart + seconds(i);
        sent.push_back(send(now));
        ASSERT_TRUE(answer(AccountingResult::answered, now).has_value());
    }
    EXPECT_THAT(sent, ::testing::Contains(kStarted));
    EXPECT_THAT(sent, ::testing::Contains(kLives));
}

TEST_F(AccountQueueTest, OneThatIsHurriedGoesBeforeAllOthers) {
    constexpr AccountId kThird{1, {1, NodeId{1}}, 3};
    put(kFirst, Kind::start, kStart);
    put(kSecond, Kind::stop, kStart);
    put(kThird, Kind::stop, kStart + seconds(1));
    queue_.hurry(kThird);
    queue_.hurry({7, {1, NodeId{1}}, 7});  // Not due at all.
    EXPECT_EQ(send(kStart), kThird);
}

}  // namespace account_queue_test
}  // namespace vpnha::keepers
