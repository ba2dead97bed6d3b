// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/striker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "support/temporary_path.hpp"

namespace vpnha::cli::drill {
namespace striker_test {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong{60'000};

bool within_ten_seconds(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
        if (condition()) {
            return true;
        }
        ::usleep(10000);
    }
    return false;
}

class StrikerTest : public ::testing::Test {
  protected:
    ~StrikerTest() override {
        ::unlink(file_.c_str());
        ::unlink(lock_.c_str());
    }
    [[nodiscard]] bool is_struck() const { return ::access(file_.c_str(), F_OK) == 0; }
    // Makes a file, and removes it.
    [[nodiscard]] Plan plan() const {
        return {.fault = "a file",
                .strike = {{.words = {"/usr/bin/touch", file_}}},
                .undo = {{.words = {"/usr/bin/rm", file_}}},
                .left = {}};
    }
    [[nodiscard]] Result<Striker> arm(const Plan& plan, milliseconds at_most = kLong) const {
        return Striker::arm(plan, at_most, lock_);
    }

    std::string file_ = temporary_path("struck");
    std::string lock_ = temporary_path("drill.lock");
};

TEST_F(StrikerTest, DoesNothingBeforeItIsOrderedTo) {
    auto striker = arm(plan());
    ASSERT_TRUE(striker);
    EXPECT_FALSE(striker->news().struck_ms);
    EXPECT_TRUE(striker->undo());
    EXPECT_FALSE(is_struck());
}

TEST_F(StrikerTest, StrikesAndUndoes) {
    auto striker = arm(plan());
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    EXPECT_TRUE(is_struck());
    EXPECT_GT(striker->news().struck_ms, 1.7e12);
    EXPECT_EQ(striker->news().trouble, "");
    EXPECT_TRUE(striker->undo());
    EXPECT_FALSE(is_struck());
}

TEST_F(StrikerTest, TheLastLineOfTheFaultsCommandIsKnown) {
    Plan talking = plan();
    talking.strike.push_back({.words = {"/usr/bin/printf", "first\nsilent for 12 ms\n"}});
    auto striker = arm(talking);
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    EXPECT_EQ(striker->news().output, "silent for 12 ms");
}

TEST_F(StrikerTest, UndoesWhenItsParentIsKilled) {
    const pid_t parent = ::fork();
    if (parent == 0) {
        auto striker = arm(plan());
        striker->strike();
        within_ten_seconds([&] { return striker->news().is_done; });
        ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(parent, &status, 0), parent);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_TRUE(within_ten_seconds([&] { return !is_struck(); }));
    // The lock is free when all is undone.
    EXPECT_TRUE(within_ten_seconds([&] { return arm(plan()).has_value(); }));
}

TEST_F(StrikerTest, UndoesWhenTheTimeIsOver) {
    auto striker = arm(plan(), milliseconds(1));
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    EXPECT_TRUE(within_ten_seconds([&] { return !is_struck(); }));
}

TEST_F(StrikerTest, AFaultThatFailsIsNamedAndUndone) {
    Plan broken = plan();
    broken.strike.push_back({.words = {"/usr/bin/false"}});
    broken.strike.push_back({.words = {"/usr/bin/touch", file_ + ".never"}});
    auto striker = arm(broken);
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    EXPECT_THAT(striker->news().trouble, HasSubstr("/usr/bin/false: exit code 1"));
    EXPECT_TRUE(striker->undo());
    EXPECT_FALSE(is_struck());
    EXPECT_NE(::access((file_ + ".never").c_str(), F_OK), 0);
}

TEST_F(StrikerTest, AnUndoThatFailsIsWhatToTypeAndTheRestIsUndone) {
    Plan broken = plan();
    broken.undo.insert(broken.undo.begin(), {.words = {"/usr/bin/false", "x y"}});
    auto striker = arm(broken);
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    const auto undone = striker->undo();
    ASSERT_FALSE(undone);
    EXPECT_EQ(undone.error().detail, "/usr/bin/false 'x y'");
    EXPECT_FALSE(is_struck());
}

TEST_F(StrikerTest, AnExitCodeThatIsAlsoGoodIsNoTrouble) {
    Plan plan_of_two = plan();
    plan_of_two.strike.push_back({.words = {"/usr/bin/false"}, .also_good = 1});
    auto striker = arm(plan_of_two);
    striker->strike();
    ASSERT_TRUE(within_ten_seconds([&] { return striker->news().is_done; }));
    EXPECT_EQ(striker->news().trouble, "");
}

TEST_F(StrikerTest, TwoDrillsAtOnceAreRefused) {
    auto striker = arm(plan());
    ASSERT_TRUE(striker);
    const auto second = arm(plan());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
}

}  // namespace striker_test
}  // namespace vpnha::cli::drill
