// SPDX-License-Identifier: GPL-2.0-or-later
// Calls that are resumed over a line that reorders, repeats, loses or holds packets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/random.hpp"
#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::pptp {
namespace bad_line_test {

using namespace std::chrono_literals;
using test::CallWorld;
using test::ModelClient;

class BadLineTest : public ::testing::TestWithParam<ModelClient::Kind> {
  protected:
    // 100 packets are known, so many more have come.
    static void be_lost(CallWorld& world, int missed) {
        world.stock_sends(100);
        world.forget_sent();
        world.checkpoint();
        world.stock_sends(missed);
        world.forget_sent();
        world.client.acknowledges_apart = GetParam() != ModelClient::Kind::kernel;
    }
    // The client sends data meanwhile.
    static bool resume(CallWorld& world) {
        world.call->resume(false, 0, world.now, world);
        for (int i = 0; i < 400 && world.how.empty() && world.ended_by.empty(); ++i) {
            world.client.send_data(1, world.now);
            world.run(15ms);
        }
        return !world.how.empty();
    }
    // Each packet that gets through can be read.
    static void expect_data(CallWorld& world, const std::string& story) {
        world.loss = 0;
        world.jitter = 0ms;
        world.twice_to_client = 0;
        world.run(1s);
        const std::vector<std::uint32_t> sent = world.send_twenty();
        EXPECT_EQ(world.client.data, sent) << story;
        EXPECT_EQ(world.indexes_reused, 0) << story;
        EXPECT_EQ(world.client.queue_broken, 0) << story;
    }
};

INSTANTIATE_TEST_SUITE_P(Clients, BadLineTest,
                         ::testing::Values(ModelClient::Kind::pptp_linux,
                                           ModelClient::Kind::unbuffered,
                                           ModelClient::Kind::kernel));

TEST_P(BadLineTest, WhateverIsLateOrLostTheClientFollows) {
    int resumed = 0;
    int calls = 0;
    for (const int missed : {0, 3, 300, 1500, 4000}) {
        for (std::uint32_t seed = 1; seed <= vpnha::test::drawn(60); ++seed) {
            CallWorld world(GetParam(), Mppe::bits128, seed);
            be_lost(world, missed);
            world.jitter = 5ms;
            world.loss = seed % 2 == 0 ? 0.01 : 0.05;
            world.twice_to_call = 0.05;
            // The queue of pptp-linux 1.10 breaks then, at any gateway.
            world.twice_to_client = GetParam() == ModelClient::Kind::pptp_linux ? 0 : 0.05;
            ++calls;
            if (resume(world)) {
                ++resumed;
                expect_data(world, fmt::format("{} missed, seed {}: {}", missed, seed, world.how));
            }
        }
    }
    EXPECT_EQ(resumed, calls);
}

// A node that has never spoken to a client asks for its address in the link layer first. If the
// question is lost, the kernel holds all packets for a second, and sends them in one go.
TEST_P(BadLineTest, WhatTheKernelHoldsForASecondComesInOneGoAndTheClientFollows) {
    for (const int missed : {0, 3, 300, 1500, 4000}) {
        for (std::uint32_t seed = 1; seed <= vpnha::test::drawn(60); ++seed) {
            CallWorld world(GetParam(), Mppe::bits128, seed);
            be_lost(world, missed);
            world.jitter = 5ms;
            world.loss = 0.01;
            world.held_until = world.now + std::chrono::milliseconds(900 + seed * 3);
            const std::string story = fmt::format("{} missed, seed {}", missed, seed);
            ASSERT_TRUE(resume(world)) << story;
            expect_data(world, story + ": " + world.how);
        }
    }
}

// pptp-linux 1.10 loses its queue where it gets one twice.
TEST_P(BadLineTest, NoNumberIsSentTwice) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_lost(world, 300);
    world.client.is_deaf = true;
    ASSERT_FALSE(resume(world));
    std::vector<std::uint32_t> numbers = world.numbers_sent;
    EXPECT_GE(numbers.size(), 40U);
    std::ranges::sort(numbers);
    EXPECT_EQ(std::ranges::adjacent_find(numbers), numbers.end());
}

}  // namespace bad_line_test
}  // namespace vpnha::pptp
