// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.hpp"

#include <gtest/gtest.h>

#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace keys_test {

TEST(KeysTest, DefaultsAreThoseThatTheParserLeaves) {
    const Result<Config> config = parse(kSample, "vpnha.toml");
    ASSERT_TRUE(config.has_value());
    for (const Key& key : all_keys()) {
        const bool given = kSample.find("\n" + std::string(key.name) + " = ") != std::string::npos;
        if (!key.fallback.empty() && !given) {
            const std::string expected = key.fallback == "1000 + id" ? "1001"
                                         : key.fallback == "id"      ? "1"
                                                                     : std::string(key.fallback);
            config::Gateway gateway = config->gateways[0];
            gateway.pptp.emplace();
            gateway.ipsec.emplace();
            EXPECT_EQ(key.show(*config, gateway), expected) << key.name;
        }
    }
}

TEST(KeysTest, EachIsFoundInItsOwnTableOnly) {
    EXPECT_NE(find_key(Section::outside, "interface"), nullptr);
    EXPECT_NE(find_key(Section::outside, "interface"), find_key(Section::inside, "interface"));
    EXPECT_EQ(find_key(Section::l2tp, "interface"), nullptr);
}

}  // namespace keys_test
}  // namespace vpnha::config
