// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/options.hpp"

#include <gmock/gmock.h>

namespace vpnha::probe {
namespace options_test {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(OptionsTest, ProtocolAndHostAreEnough) {
    const auto options = parse_options({"l2tp", "192.0.2.100"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->protocol, "l2tp");
    EXPECT_EQ(options->host, "192.0.2.100");
    EXPECT_EQ(options->thresholds.timeout, 5s);
    EXPECT_FALSE(options->thresholds.warning);
    EXPECT_FALSE(options->json);
    EXPECT_THAT(options->shown, IsEmpty());
}

TEST(OptionsTest, TakesEachOption) {
    const auto options =
        parse_options({"ike", "gw.example", "--timeout", "2.5", "--warning", "0.5", "--critical=1",
                       "--source", "192.0.2.7", "--port", "5500", "--json"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->thresholds.timeout, 2500ms);
    EXPECT_EQ(options->thresholds.warning, Duration(500ms));
    EXPECT_EQ(options->thresholds.critical, Duration(1s));
    EXPECT_EQ(options->source, "192.0.2.7");
    EXPECT_EQ(options->port, 5500);
    EXPECT_TRUE(options->json);
    const auto radius = parse_options({"radius", "::1", "--secret-file", "/etc/secret"});
    ASSERT_TRUE(radius);
    EXPECT_EQ(radius->secret_file, "/etc/secret");
    EXPECT_TRUE(parse_options({"wireguard", "::1", "--account", "/etc/wg", "--port", "51"}));
    const auto dial =
        parse_options({"l2tp", "192.0.2.100", "--account", "/etc/probe", "--ping", "10.0.0.7"});
    ASSERT_TRUE(dial);
    EXPECT_EQ(dial->account_file, "/etc/probe");
    EXPECT_EQ(dial->ping, Ipv4Address{0x0a000007});
    EXPECT_TRUE(parse_options({"ikev1", "::1", "--account", "/etc/probe"}));
    EXPECT_TRUE(parse_options({"ikev2", "::1", "--account", "/etc/probe"}));
    EXPECT_TRUE(parse_options({"l2tp-ipsec", "192.0.2.100", "--account", "/etc/p", "--ike-account",
                               "/etc/i", "--ping", "10.0.0.7"}));
    EXPECT_TRUE(
        parse_options({"pptp", "192.0.2.100", "--account", "/etc/p", "--ping", "10.0.0.7"}));
}

TEST(OptionsTest, RefusesWhatIsNoUse) {
    const struct {
        std::vector<std::string> arguments;
        const char* why;
    } cases[] = {
        {{}, "protocol"},
        {{"l2tp"}, "host"},
        {{"openvpn", "a"}, "openvpn"},
        {{"wireguard", "a"}, "wireguard needs --account"},
        {{"wireguard", "a", "--account", "x", "--secret-file", "x"}, "radius alone"},
        {{"ike", "a", "--account", "x"}, "ike takes no --account"},
        {{"ikev2", "a", "--account", "x", "--port", "5500"}, "one port"},
        {{"l2tp", "a", "--ping", "10.0.0.7"}, "with --account alone"},
        {{"ikev2", "a", "--account", "x", "--ping", "10.0.0.7"}, "--ping is for l2tp"},
        {{"l2tp", "a", "--account", "x", "--ping", "gw"}, "gw"},
        {{"l2tp-ipsec", "a", "--account", "x"}, "l2tp-ipsec needs --ike-account"},
        {{"l2tp-ipsec", "a", "--ike-account", "x"}, "l2tp-ipsec needs --account"},
        {{"l2tp-ipsec", "a", "--account", "x", "--ike-account", "y", "--port", "1"}, "one port"},
        {{"l2tp", "a", "--account", "x", "--ike-account", "y"}, "l2tp-ipsec alone"},
        {{"l2tp", "a", "b"}, "b"},
        {{"l2tp", "a", "--timeout", "0"}, "timeout"},
        {{"l2tp", "a", "--timeout", "61"}, "timeout"},
        {{"l2tp", "a", "--timeout", "soon"}, "timeout"},
        {{"l2tp", "a", "--port", "65536"}, "port"},
        {{"l2tp", "a", "--warning", "-1"}, "warning"},
        {{"l2tp", "a", "--warning", "2", "--critical", "1"}, "above --critical"},
        {{"l2tp", "a", "--critical", "6"}, "above --timeout"},
        {{"radius", "a"}, "--secret-file"},
        {{"l2tp", "a", "--secret-file", "x"}, "radius alone"},
        {{"pptp", "a", "--port", "1723"}, "one port"},
    };
    for (const auto& each : cases) {
        const auto options = parse_options(each.arguments);
        ASSERT_FALSE(options) << each.why;
        EXPECT_EQ(options.error().code, Errc::invalid_argument);
        EXPECT_THAT(options.error().detail, HasSubstr(each.why));
    }
}

TEST(OptionsTest, HelpAndVersionAreShown) {
    EXPECT_THAT(parse_options({"--help"})->shown, HasSubstr("--secret-file"));
    EXPECT_THAT(parse_options({"--version"})->shown, HasSubstr("vpnha-probe 0."));
}

}  // namespace options_test
}  // namespace vpnha::probe
