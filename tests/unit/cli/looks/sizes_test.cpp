// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/sample.hpp"

namespace vpnha::cli::looks {
namespace sizes_test {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

config::Config configuration(std::uint64_t sessions_max) {
    config::Gateway dialin;
    dialin.name = "dialin";
    dialin.sessions_max = sessions_max;
    config::Config config;
    config.gateways.push_back(std::move(dialin));
    return config;
}

TEST(SizesTest, AGatewayWithRoomHasNoFinding) {
    EXPECT_THAT(find_in_sizes(sample_status(), configuration(3)), IsEmpty());
    EXPECT_THAT(find_in_sizes(sample_status(), configuration(0)), IsEmpty()) << "no limit";
}

TEST(SizesTest, EachBoundThatIsNearlyReachedIsNamed) {
    json status = sample_status();
    json& gateway = status.at("gateways").at(0);
    gateway["records"]["peak"] = 80'000;
    gateway["conntrack"]["flows"] = 400'000;
    gateway["addresses"]["in_use"] = 3'000;
    gateway["addresses"]["held"] = 1'000;
    EXPECT_THAT(
        find_in_sizes(status, configuration(2)),
        ElementsAre(StartsWith("gateway dialin: 2 of 2 sessions: raise sessions_max"),
                    StartsWith("gateway dialin: 80000 of 100000 records, at the peak"),
                    StartsWith("gateway dialin: 400000 of 500000 replicated flows: raise delay"),
                    StartsWith("gateway dialin: 4000 of 4094 addresses of common_pool: add")));
}

TEST(SizesTest, PartsThatAGatewayDoesNotHaveAreLeftOut) {
    json status = sample_status();
    json& gateway = status.at("gateways").at(0);
    gateway["conntrack"] = nullptr;
    gateway.erase("addresses");
    gateway["records"].erase("peak");
    EXPECT_THAT(find_in_sizes(status, configuration(3)), IsEmpty());
}

TEST(SizesTest, WithoutAnAnswerNothingIsKnown) {
    const auto found = look_at_sizes(
        "/nonexistent/vpnha.toml", [](auto, const auto&) { return Result<json>(sample_status()); });
    EXPECT_FALSE(found);
}

}  // namespace sizes_test
}  // namespace vpnha::cli::looks
