// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/repaired_socket.hpp"

#include <gmock/gmock.h>

#include "unit/protocols/pptp/backend/pptp_client.hpp"

namespace vpnha::adapters {
namespace repaired_socket_test {

using namespace std::chrono_literals;

class RepairedSocketTest : public PptpClientTest {
  protected:
    // By how much the timestamps of a resumed connection continue in 20 ms.
    [[nodiscard]] std::uint32_t ticks_after(std::uint32_t tsval) {
        known_.tsval = tsval - 1;  // control_socket() adds one.
        auto socket =
            open_repaired(record_.key, pptp::control_socket(record_.tcp, known_, Duration{}));
        EXPECT_TRUE(socket) << socket.error().detail;
        run_for(20ms);
        std::uint32_t value = 0;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(socket->get(), IPPROTO_TCP, TCP_TIMESTAMP, &value, &size), 0);
        close_silently(std::move(*socket));
        return value - tsval;
    }
};

// They would be 20 000 and more.
TEST_F(RepairedSocketTest, TimestampsAreMillisecondsForAnyNumber) {
    ASSERT_TRUE(record_.tcp.timestamps);
    checkpoint();
    die();
    for (const std::uint32_t tsval : {70'000U, 80'001U, 0xffff'ffffU}) {
        EXPECT_LT(ticks_after(tsval), 15'000U) << tsval;
    }
}

}  // namespace repaired_socket_test
}  // namespace vpnha::adapters
