// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/used_numbers.hpp"

#include <gtest/gtest.h>

#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::l2tp {
namespace used_numbers_test {

const TimePoint kStart{std::chrono::seconds(1000)};
const ControlContent kHello{SessionId{0}, encode_hello()};

Seq16 seq(std::size_t number) {
    return Seq16{static_cast<std::uint16_t>(number)};
}

ControlContent cdn(std::uint16_t session) {
    return {SessionId{session}, encode_cdn(CdnResult::administrative, SessionId{session})};
}

TEST(UsedNumbersTest, ANumberKeepsItsFirstContent) {
    UsedNumbers used;
    EXPECT_EQ(used.at(seq(7)), std::nullopt);
    used.note(seq(7), kHello, kStart);
    used.note(seq(7), cdn(1), kStart);
    EXPECT_EQ(used.at(seq(7)), kHello);
    used.note(seq(8), cdn(1), kStart);
    used.note(seq(8), kHello, kStart);
    EXPECT_EQ(used.at(seq(8)), cdn(1));
    EXPECT_EQ(used.at(seq(7 + 256)), std::nullopt);
    EXPECT_EQ(used.at(seq(9)), std::nullopt);
}

TEST(UsedNumbersTest, AHelloIsRememberedUntilManyOtherNumbersWereUsed) {
    UsedNumbers used;
    used.note(seq(0), kHello, kStart);
    for (std::size_t n = 1; n <= UsedNumbers::kPerGeneration; ++n) {
        used.note(seq(n), kHello, kStart);
        ASSERT_EQ(used.at(seq(0)), kHello) << n;
    }
    // In an honest tunnel a number comes again after 65 536 others: it is free by then.
    for (std::size_t n = UsedNumbers::kPerGeneration + 1; n < 65'536; ++n) {
        used.note(seq(n), kHello, kStart);
    }
    EXPECT_EQ(used.at(seq(0)), std::nullopt);
    EXPECT_EQ(used.at(seq(65'535)), kHello);
}

TEST(UsedNumbersTest, OtherMessagesAreRememberedForATimeAndAreBounded) {
    UsedNumbers used;
    for (std::size_t n = 0; n < UsedNumbers::kMessagesMax; ++n) {
        EXPECT_FALSE(used.full(kStart));
        used.note(seq(n), cdn(1), kStart);
    }
    EXPECT_TRUE(used.full(kStart));
    EXPECT_EQ(used.at(seq(0)), cdn(1));
    const TimePoint later = kStart + UsedNumbers::kRemembered;
    EXPECT_FALSE(used.full(later));
    used.note(seq(20'000), cdn(2), later);
    EXPECT_EQ(used.at(seq(0)), std::nullopt);
    EXPECT_EQ(used.at(seq(20'000)), cdn(2));
}

}  // namespace used_numbers_test
}  // namespace vpnha::l2tp
