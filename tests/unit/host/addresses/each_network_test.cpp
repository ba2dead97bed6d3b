// SPDX-License-Identifier: GPL-2.0-or-later
// As root: a network namespace of the test's own.
#include "host/addresses/each_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "unit/host/os/named_namespace.hpp"

namespace vpnha::adapters {
namespace each_network_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vpnha::testing::NamedNamespace;
using vpnha::testing::network_here;

using Looked = std::tuple<std::string, ino_t, std::string>;

config::Gateway in(const std::string& netns, const std::string& name) {
    config::Gateway gateway;
    gateway.name = name;
    gateway.netns = netns;
    return gateway;
}

TEST(EachNetworkTest, EachIsLookedAtWithinWithItsOwnGateways) {
    const NamedNamespace there;
    config::Config config;
    config.gateways = {in(there.name(), "east"), in("", "west")};
    std::vector<Looked> looked;
    const Result<void> all =
        in_each_network(config, [&](const config::Config& part, const std::string& where) {
            EXPECT_EQ(part.gateways.size(), 1U);
            looked.emplace_back(where, network_here(), part.gateways.front().name);
            return Result<void>();
        });
    EXPECT_TRUE(all) << all.error().detail;
    EXPECT_THAT(looked, ElementsAre(Looked("", network_here(), "west"),
                                    Looked("in network namespace '" + there.name() + "': ",
                                           there.number(), "east")));
}

TEST(EachNetworkTest, OneThatIsNotThereIsAnError) {
    config::Config config;
    config.gateways = {in("vpnha-test-nowhere", "east")};
    const Result<void> looked =
        in_each_network(config, [](const auto&, const auto&) { return Result<void>(); });
    ASSERT_FALSE(looked);
    EXPECT_THAT(looked.error().detail, HasSubstr("'vpnha-test-nowhere'"));
}

}  // namespace each_network_test
}  // namespace vpnha::adapters
