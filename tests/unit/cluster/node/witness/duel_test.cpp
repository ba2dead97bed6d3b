// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/node/duel.hpp"

#include <gtest/gtest.h>

namespace vpnha::node {
namespace duel_test {

constexpr TimePoint kLost{std::chrono::hours(1)};
constexpr Duration kPatience = std::chrono::seconds(5);

TimePoint asks_at(std::uint32_t self, std::size_t own, std::size_t theirs, bool is_answered) {
    return asks_for_marks_at({NodeId{self}, NodeId{3 - self}, own, theirs, is_answered, kLost},
                             kPatience);
}

TEST(DuelTest, WhoServesMoreOfEqualsTheLowerOneAsksAtOnce) {
    for (const auto& [self, own, theirs, at_once] :
         {std::tuple(1U, 1U, 0U, true), std::tuple(2U, 1U, 0U, true), std::tuple(2U, 2U, 1U, true),
          std::tuple(1U, 1U, 1U, true), std::tuple(2U, 1U, 1U, false),
          std::tuple(1U, 1U, 2U, false), std::tuple(1U, 0U, 1U, false),
          std::tuple(1U, 0U, 0U, false)}) {
        EXPECT_EQ(asks_at(self, own, theirs, true), at_once ? TimePoint{} : kLost + kPatience)
            << self << own << theirs;
        EXPECT_EQ(asks_at(self, own, theirs, false), TimePoint{}) << "nobody answers the other one";
    }
}

}  // namespace duel_test
}  // namespace vpnha::node
