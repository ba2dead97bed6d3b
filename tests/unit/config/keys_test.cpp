// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.hpp"

#include <gtest/gtest.h>

#include "protocols/ipsec/table.hpp"
#include "protocols/pptp/table.hpp"
#include "protocols/wireguard/table.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace keys_test {

TEST(KeysTest, DefaultsAreThoseThatTheParserLeaves) {
    const Result<Config> config = parse(kSample, "vpnha.toml");
    ASSERT_TRUE(config.has_value());
    for (const Key& key : schema().keys()) {
        const bool given = kSample.find("\n" + std::string(key.name) + " = ") != std::string::npos;
        if (!key.fallback.empty() && !given) {
            const std::string expected = key.fallback == "1000 + id" ? "1001"
                                         : key.fallback == "id"      ? "1"
                                                                     : std::string(key.fallback);
            config::Gateway gateway = config->gateways[0];
            gateway.protocols.serve<pptp::Table>();
            gateway.protocols.serve<ipsec::Table>();
            gateway.protocols.serve<wireguard::Table>();
            EXPECT_EQ(key.place.show(*config, gateway), expected) << key.name;
        }
    }
}

TEST(KeysTest, EachIsFoundInItsOwnTableOnly) {
    const Key* const outside = schema().find(Section::outside, "interface");
    EXPECT_NE(outside, nullptr);
    EXPECT_NE(outside, schema().find(Section::inside, "interface"));
    EXPECT_EQ(schema().find(pptp::Table::kProtocol.section, "interface"), nullptr);
}

}  // namespace keys_test
}  // namespace vpnha::config
