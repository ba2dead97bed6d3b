// SPDX-License-Identifier: GPL-2.0-or-later
// A schema has the protocols with which it is made, whatever they are, and no other ones.
#include "config/schema.hpp"

#include <gmock/gmock.h>

#include "config/fingerprints.hpp"
#include "config/key_text.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace schema_test {

using ::testing::Contains;
using ::testing::Field;

struct Table {
    std::uint16_t port = 7;

    static const Protocol kProtocol;
    static std::vector<Key> keys() {
        return {{kProtocol.section, "port", Kind::number, 1, 65'535, "7", "7", "Where it answers.",
                 wire::Weight::session, at<&Table::port>()}};
    }
    [[nodiscard]] Facts facts() const {
        return {.title = "Echo", .daemon = "echod", .files = {{"users", "/etc/echo"}}};
    }
    static void check(const Gateway& gateway, const Config& /*config*/, Errors& errors) {
        if (gateway.protocols.get<Table>()->port == 9) {
            errors.add(kProtocol.section, gateway.name, "port", "who is asked there is silent");
        }
    }
};
constexpr Protocol Table::kProtocol = protocol_of<Table>("echo", "Answers with the same.");

const Schema& schema_of_echo() {
    static const Schema kSchema({&Table::kProtocol});
    return kSchema;
}

Result<Config> parsed(const std::string& table) {
    return parse(changed(kSample, "[gateway.dialin.l2tp]\n", table), "f", schema_of_echo());
}

TEST(SchemaTest, ATableIsReadByItsProtocol) {
    const Result<Config> config = parsed("[gateway.dialin.echo]\nport = 8\n");
    ASSERT_TRUE(config) << config.error().detail;
    const ServedProtocols& protocols = config->gateways[0].protocols;
    ASSERT_NE(protocols.get<Table>(), nullptr);
    EXPECT_EQ(protocols.get<Table>()->port, 8);
    ASSERT_EQ(protocols.facts().size(), 1U);
    EXPECT_EQ(protocols.facts()[0].section, "echo");
    EXPECT_FALSE(protocols.tunnel_port());
}

TEST(SchemaTest, AProtocolChecksItsTable) {
    const Result<Config> config = parsed("[gateway.dialin.echo]\nport = 9\n");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().detail, "f:12: who is asked there is silent");
}

TEST(SchemaTest, NodesCompareTheKeysAndFilesOfAProtocol) {
    const Result<Config> config = parsed("[gateway.dialin.echo]\n");
    ASSERT_TRUE(config) << config.error().detail;
    const auto setups = setups_of(*config, schema_of_echo(), FingerprintKey("key"),
                                  [](const std::string&, LineOrder) { return 5U; });
    ASSERT_EQ(setups.size(), 2U);
    EXPECT_THAT(setups[1].items, Contains(Field(&wire::Fingerprint::name, "echo.port")));
    EXPECT_THAT(setups[1].items, Contains(Field(&wire::Fingerprint::name, "users /etc/echo")));
}

TEST(SchemaTest, AProtocolThatItDoesNotHaveIsUnknown) {
    const Result<Config> config = parsed("[gateway.dialin.l2tp]\n");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().detail,
                testing::HasSubstr("unknown key 'l2tp' in [gateway.dialin]"));
    EXPECT_THAT(config.error().detail,
                testing::HasSubstr("[gateway.dialin] has no protocol that clients may dial"));
}

}  // namespace schema_test
}  // namespace vpnha::config
