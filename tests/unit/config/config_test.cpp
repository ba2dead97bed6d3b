// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "protocols/l2tp/table.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace config_test {

TEST(ConfigTest, ReadsEveryKeyAndFillsInTheRest) {
    const Result<Config> config = parse(kSample, "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(config->confirm_wait, std::chrono::milliseconds(50));
    EXPECT_EQ(config->log_level, "info");
    ASSERT_EQ(config->gateways.size(), 1U);
    const Gateway& gateway = config->gateways[0];
    EXPECT_EQ(gateway.name, "dialin");
    EXPECT_EQ(gateway.id, GatewayId{1});
    EXPECT_EQ(gateway.route_table, 1001U);
    EXPECT_EQ(gateway.rule_preference, 1U);
    EXPECT_EQ(gateway.outside.interface, "eth1");
    EXPECT_EQ(to_string(gateway.outside.addresses.at(0)), "192.0.2.100/24");
    EXPECT_EQ(to_string(gateway.inside.addresses.at(0)), "198.51.100.100/24");
    EXPECT_EQ(to_string(gateway.ppp_local), "10.200.0.1");
    EXPECT_EQ(gateway.pools.size(), 2U);
    const auto* const l2tp = gateway.protocols.get<l2tp::Table>();
    ASSERT_NE(l2tp, nullptr);
    EXPECT_EQ(l2tp->port, 1701);
    EXPECT_EQ(l2tp->hello_interval, std::chrono::seconds(60));
}

TEST(ConfigTest, L2tpListensOnTheFirstIpv4Address) {
    const auto config = parse(changed(kSample, "\"192.0.2.100/24\"",
                                      "\"2001:db8::1/64\", \"192.0.2.102/24\", \"192.0.2.101/24\""),
                              "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(to_string(config->gateways[0].outside.addresses[0]), "2001:db8::1/64");
    EXPECT_EQ(to_string(config->gateways[0].dialled_address()), "192.0.2.102");
}

TEST(ConfigTest, FlowsAreThoseOfWhatIsCoveredWhenNoNetsAreGiven) {
    const auto nets_of = [](const std::string& toml) {
        std::string nets;
        const Result<Config> config = parse(toml, "vpnha.toml");
        EXPECT_TRUE(config.has_value()) << config.error().detail;
        for (const IpPrefix& net : config->gateways[0].flow_nets()) {
            nets += to_string(net) + " ";
        }
        return nets;
    };
    const std::string both =
        changed(kSample, "\"192.0.2.100/24\"", "\"192.0.2.100/24\", \"2001:db8::1/64\"");
    EXPECT_EQ(nets_of(both),
              "192.0.2.100/32 2001:db8::1/128 198.51.100.100/32 10.200.0.1/32 10.200.1.0/24 "
              "10.200.2.0/24 ");
    EXPECT_EQ(nets_of(both + "[gateway.dialin.conntrack]\nnets = [\"10.200.0.0/16\"]\n"),
              "10.200.0.0/16 ");
}

TEST(ConfigTest, VipsAddressOfPppAndPoolsAreCovered) {
    const Result<Config> config = parse(kSample, "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    const std::vector<Covered> covered = config->gateways[0].covered();
    ASSERT_EQ(covered.size(), 5U);
    const std::pair<Covered::What, std::string> expected[] = {
        {Covered::What::outside_vip, "192.0.2.100/32"},
        {Covered::What::inside_vip, "198.51.100.100/32"},
        {Covered::What::ppp_local, "10.200.0.1/32"},
        {Covered::What::pool, "10.200.1.0/24"},
        {Covered::What::pool, "10.200.2.0/24"}};
    for (std::size_t i = 0; i < covered.size(); ++i) {
        EXPECT_EQ(covered[i].what, expected[i].first) << i;
        EXPECT_EQ(to_string(covered[i].net), expected[i].second);
        EXPECT_EQ(covered[i].is_vip(), i < 2);
    }
}

TEST(ConfigTest, FindsAGatewayByNameAndById) {
    const Result<Config> config = parse(kSample + kSecond, "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    ASSERT_NE(config->find("other"), nullptr);
    EXPECT_EQ(config->find("other"), config->find(GatewayId{2}));
    EXPECT_EQ(config->find("nobody"), nullptr);
    EXPECT_EQ(config->find(GatewayId{3}), nullptr);
}

TEST(ConfigTest, ReportsWhichFileItCannotRead) {
    const Result<Config> config = load("/nonexistent/vpnha.toml");
    ASSERT_FALSE(config.has_value());
    EXPECT_EQ(config.error().code, Errc::invalid_config);
    EXPECT_THAT(config.error().detail, testing::HasSubstr("/nonexistent/vpnha.toml: cannot be"));
    EXPECT_FALSE(load("/").has_value());
}

TEST(ConfigTest, RefusesAnEndlessFile) {
    const Result<Config> config = load("/dev/zero");
    ASSERT_FALSE(config.has_value());
    EXPECT_THAT(config.error().detail, testing::HasSubstr("larger than"));
}

}  // namespace config_test
}  // namespace vpnha::config
