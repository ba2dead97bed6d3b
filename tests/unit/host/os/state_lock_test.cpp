// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/state_lock.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace state_lock_test {

using namespace std::chrono_literals;

class StateLockTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string directory_ = temporary_path("state");
};

TEST_F(StateLockTest, OneHasIt) {
    const auto first = StateLock::take(directory_, 0ms);
    ASSERT_TRUE(first) << first.error().detail;
    const auto second = StateLock::take(directory_, 1ms);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::already_exists);
}

TEST_F(StateLockTest, OneOfTheNodeHasItWhateverTheStateDirectory) {
    auto first = take_node_lock(directory_, 0ms);
    ASSERT_TRUE(first) << first.error().detail;
    const auto second = take_node_lock(directory_, 1ms);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::already_exists);
    EXPECT_NE(second.error().detail.find("another vpnhad runs on this node"), std::string::npos);
    first = tl::unexpected(Error{});
    EXPECT_TRUE(take_node_lock(directory_, 0ms));
}

TEST_F(StateLockTest, AnotherNetworkNamespaceIsAnotherNode) {
    const auto first = take_node_lock(directory_, 0ms);
    ASSERT_TRUE(first) << first.error().detail;
    const pid_t other = ::fork();
    if (other == 0) {
        ::_exit(::unshare(CLONE_NEWNET) == 0 && take_node_lock(directory_, 0ms) ? 0 : 1);
    }
    int status = -1;
    ::waitpid(other, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(StateLockTest, TheEndOfItsProcessLetsItGo) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t other = ::fork();
    if (other == 0) {
        const auto taken = StateLock::take(directory_, 0ms);
        const char word = taken ? 'y' : 'n';
        [[maybe_unused]] const ssize_t written = ::write(ready[1], &word, 1);
        ::pause();
        ::_exit(0);
    }
    char word = '\0';
    ASSERT_EQ(::read(ready[0], &word, 1), 1);
    ASSERT_EQ(word, 'y');
    EXPECT_FALSE(StateLock::take(directory_, 1ms));
    ::kill(other, SIGKILL);
    // Whoever waits gets it then.
    EXPECT_TRUE(StateLock::take(directory_, 10s));
    ::waitpid(other, nullptr, 0);
}

TEST_F(StateLockTest, AProgramThatIsStartedMeanwhileDoesNotHaveIt) {
    auto first = StateLock::take(directory_, 0ms);
    ASSERT_TRUE(first);
    const pid_t other = ::fork();
    if (other == 0) {
        ::execl("/bin/sleep", "sleep", "1000", nullptr);
        ::_exit(127);
    }
    first = tl::unexpected(Error{});
    EXPECT_TRUE(StateLock::take(directory_, 10s));
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);
}

}  // namespace state_lock_test
}  // namespace vpnha::adapters
