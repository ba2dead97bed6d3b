// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/clocks.hpp"

#include <gmock/gmock.h>
#include <sys/timex.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli::looks {
namespace clocks_test {

using nlohmann::json;
using ::testing::AllOf;
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

TEST(ClocksTest, ADifferenceAsLongAsAFailoverIsNamed) {
    json status = sample_status();
    json& difference = status.at("gateways").at(0)["clock_difference_s"];
    for (const json& small : {json(nullptr), json(0.0), json(0.3), json(-0.3)}) {
        difference = small;
        EXPECT_THAT(compare_clocks(status), IsEmpty()) << small;
    }
    difference = -0.75;
    EXPECT_THAT(compare_clocks(status),
                ElementsAre(AllOf(HasSubstr("gateway dialin"), HasSubstr("0.8 s behind that"))));
    difference = 601;
    EXPECT_THAT(compare_clocks(status), ElementsAre(HasSubstr("601.0 s ahead of that")));
}

TEST(ClocksTest, WithoutVpnhadNothingIsCompared) {
    const Ask none = [](std::string_view, const json&) -> Result<json> {
        return fail(Errc::unreachable, "no vpnhad answers");
    };
    EXPECT_FALSE(look_at_differences(none));
}

}  // namespace clocks_test
}  // namespace vpnha::cli::looks
