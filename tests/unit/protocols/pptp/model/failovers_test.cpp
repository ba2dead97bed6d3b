// SPDX-License-Identifier: GPL-2.0-or-later
// Failovers of one call in a row, each with numbers that are old: those that its last node told
// when it had resumed the call, or later.
#include <gtest/gtest.h>

#include "support/random.hpp"
#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::pptp {
namespace failovers_test {

using namespace std::chrono_literals;
using test::CallWorld;
using test::ModelClient;

class FailoversTest : public ::testing::TestWithParam<ModelClient::Kind> {
  protected:
    int until(int most) { return std::uniform_int_distribution<>(0, most)(random_); }

    // Of a node that has resumed the call: what it does until it dies. Returns what it told last.
    std::pair<CallNumbers, TimePoint> live(CallWorld& world) {
        std::pair notified{world.call->numbers(world.now), world.now};
        const int packets = until(1500);
        const int notified_at = until(packets);
        for (int i = 0; i < packets; ++i) {
            world.send_data();
            if (i % 3 == 0) {
                world.client.send_data(1, world.now);
                world.run(1ms);
            }
            if (i == notified_at && until(1) == 0) {
                notified = {world.call->numbers(world.now), world.now};
            }
        }
        // Its links fail before it does.
        const double loss = std::exchange(world.loss, 1);
        for (int i = until(200); i > 0; --i) {
            world.send_data();
        }
        world.run(500ms);
        world.loss = loss;
        return notified;
    }
    bool resume(CallWorld& world) {
        world.how.clear();
        world.call->resume(false, 0, world.now, world);
        for (int i = 0; i < 80 && world.how.empty() && world.ended_by.empty(); ++i) {
            world.client.send_data(1, world.now);
            world.run(50ms);
        }
        return !world.how.empty();
    }

    std::mt19937 random_;
};

INSTANTIATE_TEST_SUITE_P(Clients, FailoversTest,
                         ::testing::Values(ModelClient::Kind::pptp_linux,
                                           ModelClient::Kind::kernel));

TEST_P(FailoversTest, NoNumberOfDataAndNoIndexIsUsedTwiceAndAllArrivesInTheEnd) {
    std::uint32_t survived = 0;
    for (std::uint32_t seed = 1; seed <= vpnha::test::drawn(20); ++seed) {
        random_.seed(seed);
        CallWorld world(GetParam(), Mppe::bits128, seed);
        world.stock_sends(until(200));
        world.forget_sent();
        world.checkpoint();
        world.stock_sends(until(1) == 0 ? 0 : until(4000), 0.02);
        world.stock_sends(until(200), 1);
        world.forget_sent();
        world.delay = std::chrono::milliseconds(1 + until(30));
        world.loss = 0.01 * until(3);
        bool lives = true;
        std::string story;
        for (int node = 0; node < 3 && lives; ++node) {
            lives = resume(world);
            story += world.how + "; ";
            if (!lives || node == 2) {
                break;
            }
            const auto [numbers, at] = live(world);
            world.move_on(numbers, at);
        }
        EXPECT_EQ(world.indexes_reused, 0) << seed << " " << story;
        EXPECT_EQ(world.data_numbers_reused, 0) << seed << " " << story;
        if (!lives) {
            continue;
        }
        ++survived;
        world.loss = 0;
        world.run(500ms);
        const std::vector<std::uint32_t> sent = world.send_twenty();
        EXPECT_EQ(world.client.data, sent) << seed << " " << story;
        EXPECT_EQ(world.counters.resets, 0U) << seed << " " << story;
    }
    EXPECT_GE(survived, vpnha::test::drawn(20) - 1);
}

}  // namespace failovers_test
}  // namespace vpnha::pptp
