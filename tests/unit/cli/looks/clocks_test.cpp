// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/clocks.hpp"

#include <gmock/gmock.h>
#include <sys/timex.h>

namespace vpnha::cli::looks {
namespace clocks_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ClocksTest, AClockThatNobodyKeepsIsNamed) {
    EXPECT_THAT(judge_clock(STA_UNSYNC | STA_NANO),
                ElementsAre(HasSubstr("install chrony on each node")));
    EXPECT_THAT(judge_clock(STA_NANO), IsEmpty());
}

TEST(ClocksTest, TheKernelCanBeAsked) {
    EXPECT_TRUE(look_at_clock());
}

}  // namespace clocks_test
}  // namespace vpnha::cli::looks
