// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/background.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <future>
#include <string>
#include <vector>

namespace vpnha::adapters {
namespace background_test {

using ::testing::ElementsAre;

class BackgroundTest : public ::testing::Test {
  protected:
    // Notes how the work of that name ended; the loop ends with the last of `count`.
    Background::Done noting(const std::string& name, std::size_t count = 1) {
        return [this, name, count](const Result<void>& result) {
            notified_.push_back(name + ": " + (result ? "done" : result.error().detail));
            if (notified_.size() >= count) {
                loop_.stop();
            }
        };
    }

    QbLoop loop_;
    std::vector<std::string> notified_;
};

TEST_F(BackgroundTest, TheLoopTurnsWhileTheWorkLasts) {
    Background background(loop_);
    std::promise<void> turned;
    const Result<void> begun = background.run(
        [&]() -> Result<void> {
            turned.get_future().wait();
            return {};
        },
        noting("work"));
    ASSERT_TRUE(begun.has_value());
    loop_.set_timer(1, QbLoop::now(), [&] {
        notified_.emplace_back("turn");
        turned.set_value();
    });
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("turn", "work: done"));
}

TEST_F(BackgroundTest, EachEndIsReportedWithItsResultAndMayBeginTheNext) {
    Background background(loop_);
    std::promise<void> first_ended;
    const auto failing = [] { return Result<void>(fail(Errc::timeout, "too slow")); };
    ASSERT_TRUE(background
                    .run(
                        [&]() -> Result<void> {
                            first_ended.get_future().wait();
                            return {};
                        },
                        noting("long", 3))
                    .has_value());
    ASSERT_TRUE(background
                    .run(failing,
                         [&](const Result<void>& result) {
                             noting("short", 3)(result);
                             EXPECT_TRUE(background.run(failing, noting("next", 3)).has_value());
                             first_ended.set_value();
                         })
                    .has_value());
    loop_.run();
    EXPECT_EQ(notified_.front(), "short: too slow");
    EXPECT_THAT(notified_,
                ::testing::UnorderedElementsAre("short: too slow", "next: too slow", "long: done"));
}

TEST_F(BackgroundTest, TheWorkHasNeitherSignalsNorPreference) {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, -10), 0);
    Background background(loop_);
    int niceness = -20;
    bool has_signals = true;
    const Result<void> begun = background.run(
        [&]() -> Result<void> {
            sigset_t blocked;
            ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
            has_signals = ::sigismember(&blocked, SIGTERM) != 1;
            niceness = ::getpriority(PRIO_PROCESS, 0);
            return {};
        },
        noting("work"));
    ASSERT_TRUE(begun.has_value());
    loop_.run();
    EXPECT_EQ(niceness, 0);
    EXPECT_FALSE(has_signals);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), -10) << "the loop keeps it";
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 0), 0);
}

TEST_F(BackgroundTest, WhoLeavesWaitsForTheWorkAndIsNotNotified) {
    bool worked = false;
    {
        Background background(loop_);
        const Result<void> begun = background.run(
            [&]() -> Result<void> {
                worked = true;
                return {};
            },
            noting("work"));
        ASSERT_TRUE(begun.has_value());
    }
    EXPECT_TRUE(worked);
    loop_.set_timer(1, QbLoop::now(), [this] { loop_.stop(); });
    loop_.run();
    EXPECT_THAT(notified_, ::testing::IsEmpty());
}

TEST_F(BackgroundTest, WorkOfAQueueIsDoneInItsOrder) {
    BackgroundQueue queue(loop_, 2, Background::Pace::low);
    std::vector<std::string> done;  // The threads', one after the other.
    for (const char* const name : {"first", "second", "third"}) {
        queue.add(
            [&done, name]() -> Result<void> {
                done.emplace_back(name);
                return done.size() == 2 ? fail(Errc::timeout, "too slow") : Result<void>();
            },
            noting(name, 3));
    }
    loop_.run();
    EXPECT_THAT(done, ElementsAre("first", "second", "third"));
    EXPECT_THAT(notified_, ElementsAre("first: done", "second: too slow", "third: done"));
}

TEST_F(BackgroundTest, WorkOfAQueueIsDoneWhenItIsFinished) {
    BackgroundQueue queue(loop_, 2, Background::Pace::low);
    std::vector<std::string> done;
    const auto add = [&](const char* name) {
        queue.add(
            [&done, name]() -> Result<void> {
                done.emplace_back(name);
                return {};
            },
            noting(name));
    };
    add("first");
    add("second");
    add("third");
    queue.finish();
    EXPECT_THAT(done, ElementsAre("first", "second", "third"));
    EXPECT_THAT(notified_, ::testing::IsEmpty());
    add("fourth");
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("fourth: done")) << "it continues";
}

}  // namespace background_test
}  // namespace vpnha::adapters
