// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the daemon's loop while a client of it runs in a thread of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

inline void run_while(QbLoop& loop, const std::function<void()>& client) {
    constexpr int kGuardTimer = 9'999;
    const UniqueFd done(::eventfd(0, EFD_CLOEXEC));
    ASSERT_TRUE(loop.watch(done.get(), [&] { loop.stop(); }).has_value());
    loop.set_timer(kGuardTimer, QbLoop::now() + std::chrono::seconds(20), [&] {
        // Its thread cannot be ended, only the whole test.
        std::fputs("run_while: the client did not end in time\n", stderr);
        std::abort();
    });
    std::thread thread([&] {
        client();
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(done.get(), &one, sizeof(one)), 8);
    });
    loop.run();
    thread.join();
    loop.cancel_timer(kGuardTimer);
    loop.unwatch(done.get());
}

}  // namespace vpnha::adapters
