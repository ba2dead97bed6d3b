// SPDX-License-Identifier: GPL-2.0-or-later
// The program keep-vpnhad, with a script in the place of vpnhad: it notes its start, and does what
// the file `then` says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_path.hpp"

namespace vpnha::keeper {
namespace keep_vpnhad_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;

class KeepVpnhadTest : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(folder_);
        std::ofstream(script_) << "#!/bin/sh\necho \"$$ $*\" >>" << folder_ << "/starts\n. "
                               << folder_ << "/then\n";
        std::filesystem::permissions(script_, std::filesystem::perms::owner_all);
        then("exec sleep 1000");
    }
    void TearDown() override {
        if (keeper_ > 0) {
            ::kill(keeper_, SIGTERM);
            (void)exit_code();
        }
        std::filesystem::remove_all(folder_);
    }
    // What vpnhads that start from now on do.
    void then(const std::string& what) { std::ofstream(folder_ + "/then") << what << '\n'; }
    void keep(const std::string& program) {
        std::array<const char*, 5> arguments{VPNHA_KEEP_PROGRAM, program.c_str(), "--config", "x",
                                             nullptr};
        ASSERT_EQ(::posix_spawn(&keeper_, arguments[0], nullptr, nullptr,
                                const_cast<char**>(arguments.data()), environ),
                  0);
    }
    void keep() { keep(script_); }
    int exit_code() {
        int status = 0;
        EXPECT_EQ(::waitpid(std::exchange(keeper_, -1), &status, 0) > 0, true);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    // "PID ARGUMENTS" of each start, once there are so many.
    std::vector<std::string> starts(std::size_t count) {
        std::vector<std::string> lines;
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (lines.size() < count && std::chrono::steady_clock::now() < deadline) {
            ::poll(nullptr, 0, 5);
            std::ifstream file(folder_ + "/starts");
            lines.clear();
            for (std::string line; std::getline(file, line);) {
                lines.push_back(line);
            }
        }
        return lines;
    }
    static pid_t pid_of(const std::string& start) { return std::stoi(start); }

    std::string folder_ = temporary_path("keep");
    std::string script_ = folder_ + "/vpnhad";
    pid_t keeper_ = -1;
};

TEST_F(KeepVpnhadTest, StartsAnotherOneAndReportsHowTheFirstDied) {
    keep();
    ::kill(pid_of(starts(1).at(0)), SIGKILL);
    const auto seen = starts(2);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_THAT(seen[0], EndsWith(" --config x"));
    EXPECT_THAT(seen[1], EndsWith(" --config x --restarts 1 --death signal 9"));
    then("exit 1");
    ::kill(pid_of(seen[1]), SIGSEGV);
    // The third one dies of itself; after it one only votes.
    EXPECT_THAT(starts(4).at(2), EndsWith("--restarts 2 --death signal 11"));
    EXPECT_THAT(starts(4).at(3), EndsWith("--restarts 3 --death exit code 1 --votes-only"));
}

TEST_F(KeepVpnhadTest, EndsWithAVpnhadThatEndedAsOrdered) {
    then("exit 0");
    keep();
    EXPECT_EQ(exit_code(), 0);
    EXPECT_EQ(starts(1).size(), 1U);
}

TEST_F(KeepVpnhadTest, DoesNotRepeatAStartThatIsOfNoUse) {
    then("exit 3");
    keep();
    EXPECT_EQ(exit_code(), 3);
    EXPECT_EQ(starts(1).size(), 1U);
}

TEST_F(KeepVpnhadTest, EndsBothWhenOrdered) {
    then("trap 'exit 0' TERM; echo ready >>" + folder_ + "/starts; while :; do sleep 0.01; done");
    keep();
    const auto seen = starts(2);
    ASSERT_EQ(seen.size(), 2U);
    ::kill(keeper_, SIGTERM);
    EXPECT_EQ(exit_code(), 0);
    EXPECT_NE(::kill(pid_of(seen[0]), 0), 0);
    EXPECT_EQ(starts(2).size(), 2U);
}

TEST_F(KeepVpnhadTest, BlocksNoSignalOfVpnhads) {
    // Not a shell, which would unblock them all by itself.
    std::ofstream(script_) << "#!/usr/bin/python3\nimport signal\nprint(len(signal.pthread_sigmask("
                              "signal.SIG_BLOCK, [])), file=open('"
                           << folder_ << "/starts', 'w'))\n";
    keep();
    EXPECT_EQ(exit_code(), 0);
    EXPECT_THAT(starts(1), ElementsAre("0"));
}

TEST_F(KeepVpnhadTest, AProgramThatIsNotThereIsReported) {
    keep(folder_ + "/nowhere");
    EXPECT_EQ(exit_code(), 127);
}

}  // namespace keep_vpnhad_test
}  // namespace vpnha::keeper
