// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/qb_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "unit/host/os/named_namespace.hpp"

namespace vpnha::adapters {
namespace qb_loop_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Pair;

class QbLoopTest : public ::testing::Test {
  protected:
    void set(int name, Duration after, const std::string& word) {
        loop_.set_timer(name, begin_ + after, [this, word] { ran_.push_back(word); });
    }
    void stop_after(Duration after) {
        loop_.set_timer(99, begin_ + after, [this] { loop_.stop(); });
    }

    QbLoop loop_;
    TimePoint begin_ = QbLoop::now();
    std::vector<std::string> ran_;
};

TEST_F(QbLoopTest, AShareHasTimersOfItsOwnAndRunsWithinItsNetwork) {
    const vpnha::testing::NamedNamespace there;
    const auto network = NetworkNamespace::open(there.name());
    ASSERT_TRUE(network) << network.error().detail;
    QbLoop share(loop_, *network, 1);
    const ino_t home = vpnha::testing::network_here();
    // What has run may be in any order: making the namespace can outlast the timers' times.
    std::map<std::string, ino_t> networks;
    const auto note = [this, &networks](const std::string& what) {
        networks[what] = vpnha::testing::network_here();
        if (networks.size() == 4) loop_.stop();
    };
    const UniqueFd event(eventfd(1, EFD_CLOEXEC));
    ASSERT_TRUE(share.watch(event.get(), [&] {
        note("event");
        share.unwatch(event.get());
    }));
    share.set_timer(1, begin_ + 2ms, [&] { note("share 1"); });
    loop_.set_timer(1, begin_ + 4ms, [&] { note("loop 1"); });
    share.set_timer(2, begin_ + 3ms, [&] { note("share 2"); });
    loop_.cancel_timer(2);
    stop_after(10s);  // Only where one of the four never runs.
    loop_.run();
    EXPECT_THAT(networks,
                ElementsAre(Pair("event", there.number()), Pair("loop 1", home),
                            Pair("share 1", there.number()), Pair("share 2", there.number())));
}

TEST_F(QbLoopTest, RunsTimersInTheOrderOfTheirTimes) {
    set(1, 3ms, "last");
    set(2, 1ms, "second");
    set(3, -1ms, "first");
    set(4, 1ms, "third");
    stop_after(4ms);
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre("first", "second", "third", "last"));
    EXPECT_GE(QbLoop::now(), begin_ + 4ms);
}

TEST_F(QbLoopTest, ATimerIsReplacedByItsName) {
    set(1, 1ms, "sooner");
    set(1, 2ms, "later");
    set(2, 3ms, "later");
    set(2, 1ms, "sooner");
    stop_after(4ms);
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre("sooner", "later"));
}

TEST_F(QbLoopTest, ACancelledTimerDoesNotRun) {
    set(1, 1ms, "cancelled");
    loop_.cancel_timer(1);
    stop_after(2ms);
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre());
}

TEST_F(QbLoopTest, ATimerMayCancelOrMoveThoseThatAreDueWithIt) {
    loop_.set_timer(1, begin_, [this] {
        loop_.cancel_timer(2);
        set(3, 1ms, "moved");
        set(1, 0ms, "itself again");
    });
    set(2, 0ms, "cancelled");
    set(3, 0ms, "not moved");
    set(4, 0ms, "stays");
    stop_after(2ms);
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre("stays", "itself again", "moved"));
}

TEST_F(QbLoopTest, WhatIsSetForNowLeavesOthersTheirTurn) {
    const UniqueFd ready(eventfd(1, EFD_CLOEXEC));
    ASSERT_TRUE(loop_.watch(ready.get(), [this] { loop_.stop(); }).has_value());
    std::function<void()> again = [&] { loop_.set_timer(1, QbLoop::now(), again); };
    again();
    loop_.run();
    loop_.unwatch(ready.get());
}

TEST_F(QbLoopTest, NothingRunsBehindTheStop) {
    loop_.set_timer(1, begin_, [this] { loop_.stop(); });
    set(2, 0ms, "of the next run");
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre());
    stop_after(1ms);
    loop_.run();
    EXPECT_THAT(ran_, ElementsAre("of the next run"));
}

// In a child whose CLOCK_BOOTTIME is a day ahead of CLOCK_MONOTONIC, as on a machine that has
// slept. Exit code 0: the loop's time is the former, and its timers are due by it.
void run_after_a_day_of_sleep() {
    constexpr auto kSlept = 24h;
    alarm(5);
    timespec awake{};
    clock_gettime(CLOCK_MONOTONIC, &awake);
    const TimePoint begin = QbLoop::now();
    bool due = false;
    QbLoop loop;
    loop.set_timer(1, begin + 1ms, [&] {
        due = true;
        loop.stop();
    });
    loop.run();
    const auto since_boot = begin.time_since_epoch();
    _exit(due && since_boot > std::chrono::seconds(awake.tv_sec) + kSlept - 1min ? 0 : 1);
}

TEST(QbLoopClockTest, TimeContinuesWhileTheMachineSleeps) {
    const pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWTIME) != 0 ||
            !(std::ofstream("/proc/self/timens_offsets") << "boottime 86400 0" << std::flush)) {
            _exit(2);
        }
        const pid_t sleeper = fork();  // A time namespace is its members' children's.
        if (sleeper == 0) {
            run_after_a_day_of_sleep();
        }
        int status = 0;
        waitpid(sleeper, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(QbLoopTest, SleepsUntilATimerIsDue) {
    const auto used = [] {
        timespec time{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    std::function<void()> again = [&] { loop_.set_timer(1, QbLoop::now() + 1'900us, again); };
    // A loop that polls does so in each round; one whose memory others have taken, in some.
    Duration least = 1s;
    for (int round = 0; round < 5; ++round) {
        again();
        begin_ = QbLoop::now();
        stop_after(40ms);
        const Duration before = used();
        loop_.run();
        least = std::min(least, used() - before);
    }
    EXPECT_LT(least, 2'500us);
}

}  // namespace qb_loop_test
}  // namespace vpnha::adapters
