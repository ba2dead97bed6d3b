// SPDX-License-Identifier: GPL-2.0-or-later
// What waits while a program is read from a slow disk. This program's own posix_spawn() stands
// before the C library's, and lasts until the test lets it continue.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>

#include <chrono>
#include <functional>
#include <semaphore>

#include "daemon/pacemaker/pacemaker_tools.hpp"

namespace {

std::binary_semaphore g_read{0};  // The disk has the program.
bool g_in_time = false;

}  // namespace

extern "C" int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                           const posix_spawnattr_t* attributes, char* const argv[],
                           char* const environment[]) {
    g_in_time = g_read.try_acquire_for(std::chrono::seconds(2));
    const auto of_the_library =
        reinterpret_cast<decltype(&posix_spawn)>(::dlsym(RTLD_NEXT, "posix_spawn"));
    return of_the_library(pid, path, actions, attributes, argv, environment);
}

namespace vpnha::runtime {
namespace slow_spawn_test {

TEST(SlowSpawnTest, TheLoopTurnsWhileAProgramIsReadFromTheDisk) {
    adapters::QbLoop loop;
    PacemakerTools tools(loop);
    bool done = false;
    tools.start({"/bin/true"}, [&](const Result<void>& result) {
        EXPECT_TRUE(result.has_value());
        done = true;
        loop.stop();
    });
    int turns = 0;
    std::function<void()> turn = [&] {
        ++turns;
        EXPECT_FALSE(done);
        if (turns < 5) {
            loop.set_timer(1, adapters::QbLoop::now() + std::chrono::milliseconds(20), turn);
        } else {
            g_read.release();
        }
    };
    turn();
    loop.run();
    EXPECT_TRUE(done);
    EXPECT_TRUE(g_in_time) << "the loop waited for the disk";
    EXPECT_EQ(turns, 5);
}

}  // namespace slow_spawn_test
}  // namespace vpnha::runtime
