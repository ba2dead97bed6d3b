// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/detached_program.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "host/os/text_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace detached_program_test {

using namespace std::chrono_literals;

class DetachedProgramTest : public ::testing::Test {
  protected:
    ~DetachedProgramTest() override { static_cast<void>(program_.end()); }
    [[nodiscard]] bool started() const {
        const auto ensured = program_.ensure({.arguments = {"/usr/bin/tail", "-f", "/dev/null"}});
        EXPECT_TRUE(ensured) << ensured.error().detail;
        return ensured.value_or(false);
    }

    std::string file_ = temporary_path("program");
    DetachedProgram program_{file_};
};

TEST_F(DetachedProgramTest, IsStartedOnceAndAgainWhenItHasDied) {
    EXPECT_FALSE(program_.process());
    EXPECT_TRUE(started());
    EXPECT_FALSE(started());
    const auto first = program_.process();
    ASSERT_TRUE(first);
    ASSERT_TRUE(kill_and_wait({*first}, 5s));
    EXPECT_TRUE(started());
    EXPECT_NE(program_.process()->pid, first->pid);
}

TEST_F(DetachedProgramTest, EndsEvenIfItIsStoppedAndRepeatably) {
    EXPECT_TRUE(started());
    const auto first = program_.process();
    ASSERT_TRUE(first);
    ASSERT_EQ(::kill(first->pid, SIGSTOP), 0);
    EXPECT_TRUE(program_.end());
    EXPECT_FALSE(read_process(first->pid));
    EXPECT_TRUE(program_.end());
}

// This process has that pid, and is no program of the file's.
TEST_F(DetachedProgramTest, APidThatIsUsedAgainIsAnotherProcess) {
    ASSERT_TRUE(write_text(file_, std::to_string(::getpid()) + " 1\n"));
    EXPECT_FALSE(program_.process());
    EXPECT_TRUE(program_.end());
}

}  // namespace detached_program_test
}  // namespace vpnha::adapters
