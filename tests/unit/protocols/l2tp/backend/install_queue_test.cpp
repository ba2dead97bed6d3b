// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/install_queue.hpp"

#include <gtest/gtest.h>

#include "protocols/l2tp/work.hpp"

namespace vpnha::runtime {
namespace install_queue_test {

constexpr GatewayId kFirst{1};
constexpr GatewayId kSecond{2};

node::InstallSession wanted(GatewayId gateway, std::uint16_t session, std::uint64_t ticket) {
    node::InstallSession install{gateway, {}, ticket};
    install.record.key.id = SessionId{session};
    return install;
}

std::uint64_t next_ticket(InstallQueue& queue) {
    const auto taken = queue.take();
    return taken ? taken->ticket : 0;
}

TEST(InstallQueueTest, FirstComeFirstServed) {
    InstallQueue queue;
    EXPECT_FALSE(queue.take());
    queue.add(wanted(kFirst, 30, 1));
    queue.add(wanted(kSecond, 10, 2));
    queue.add(wanted(kFirst, 20, 3));
    EXPECT_EQ(queue.size(kFirst), 2U);
    EXPECT_EQ(next_ticket(queue), 1U);
    EXPECT_EQ(next_ticket(queue), 2U);
    EXPECT_EQ(next_ticket(queue), 3U);
    EXPECT_FALSE(queue.is_ready());
}

TEST(InstallQueueTest, ANewerFormTakesThePlaceOfTheOlder) {
    InstallQueue queue;
    queue.add(wanted(kFirst, 10, 1));
    queue.add(wanted(kFirst, 20, 2));
    queue.add(wanted(kFirst, 10, 3));
    EXPECT_EQ(queue.size(kFirst), 2U);
    EXPECT_EQ(next_ticket(queue), 3U);
    EXPECT_EQ(next_ticket(queue), 2U);
    queue.add(wanted(kFirst, 10, 4));
    EXPECT_EQ(next_ticket(queue), 4U);
}

TEST(InstallQueueTest, DropsOneSessionOrAllOfAGateway) {
    InstallQueue queue;
    queue.add(wanted(kFirst, 10, 1));
    queue.add(wanted(kFirst, 20, 2));
    queue.add(wanted(kSecond, 10, 3));
    queue.add(wanted(kSecond, 20, 4));
    queue.drop(kFirst, wanted(kFirst, 10, 0).record.key);
    queue.drop(kFirst, wanted(kFirst, 99, 0).record.key);
    EXPECT_EQ(queue.size(kFirst), 1U);
    queue.drop(kSecond);
    EXPECT_EQ(queue.size(kSecond), 0U);
    EXPECT_EQ(next_ticket(queue), 2U);
    EXPECT_FALSE(queue.is_ready());
}

TEST(InstallQueueTest, AHeldGatewayWaitsAndKeepsItsPlace) {
    InstallQueue queue;
    queue.hold(kFirst);
    queue.add(wanted(kFirst, 10, 1));
    EXPECT_FALSE(queue.is_ready());
    EXPECT_FALSE(queue.take());
    queue.add(wanted(kSecond, 10, 2));
    queue.add(wanted(kSecond, 20, 3));
    EXPECT_EQ(next_ticket(queue), 2U);
    EXPECT_EQ(queue.size(kFirst), 1U);
    queue.let_go(kFirst);
    EXPECT_EQ(next_ticket(queue), 1U);
    EXPECT_EQ(next_ticket(queue), 3U);
    EXPECT_FALSE(queue.is_ready());
}

}  // namespace install_queue_test
}  // namespace vpnha::runtime
