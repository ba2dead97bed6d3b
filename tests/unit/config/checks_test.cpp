// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace checks_test {

using testing::ElementsAre;
using testing::HasSubstr;

struct Change {
    std::string from, to, expected;
};

TEST(ChecksTest, AcceptsTwoGatewaysThatShareNothingButDevices) {
    EXPECT_EQ(error_of(kSample + kSecond), "");
}

TEST(ChecksTest, RefusesWhatBelongsToAnotherGateway) {
    const Change cases[] = {
        {"id = 2", "id = 1", "vpnha.toml:13: id 1 belongs to gateway 'dialin'"},
        {"id = 2", "id = 2\nroute_table = 1001", "vpnha.toml:14: route_table 1001 belongs"},
        {"id = 2", "id = 2\nrule_preference = 1", "rule_preference 1 belongs"},
        {"192.0.2.101/24", "192.0.2.100/24", "vpnha.toml:18: 192.0.2.100 belongs"},
        {"10.201.0.1", "10.200.0.1", "vpnha.toml:14: 10.200.0.1 belongs"},
        {"10.201.1.0/24", "10.200.0.0/16", "vpnha.toml:15: pool 10.200.0.0/16 overlaps"},
        {"10.201.0.1", "10.200.2.7", "lies within pool 10.200.2.0/24 of gateway 'dialin'"},
        {"10.201.1.0/24", "192.0.2.64/26", "lies within pool 192.0.2.64/26"},
    };
    for (const Change& change : cases) {
        EXPECT_THAT(error_of(kSample + changed(kSecond, change.from, change.to)),
                    HasSubstr(change.expected))
            << change.to;
    }
}

TEST(ChecksTest, ComparesIpv6AddressesLikeOthers) {
    const std::string both =
        changed(kSample, "\"192.0.2.100/24\"", "\"192.0.2.100/24\", \"2001:db8::1/64\"");
    const std::string pool = changed(both, "\"10.200.2.0/24\"", "\"2001:db8:1::/64\"");
    EXPECT_EQ(error_of(pool), "");
    EXPECT_THAT(error_of(changed(pool, "198.51.100.100/24", "2001:db8::1/48")),
                HasSubstr("vpnha.toml:10: 2001:db8::1 is given in 'addresses'"));
    EXPECT_THAT(error_of(changed(pool, "198.51.100.100/24", "2001:db8:1::7/64")),
                HasSubstr("vpnha.toml:10: 2001:db8:1::7 lies within pool 2001:db8:1::/64"));
    EXPECT_THAT(error_of(pool + changed(kSecond, "10.201.1.0/24", "2001:db8::/32")),
                HasSubstr("no IPv4 net"));
    EXPECT_THAT(error_of(pool + changed(kSecond, "10.201.1.0/24\"",
                                        "10.201.1.0/24\", \"2001:db8:1::/48\"")),
                HasSubstr("pool 2001:db8:1::/48 overlaps pool 2001:db8:1::/64 of gateway"));
}

TEST(ChecksTest, ACommonPoolLiesWithinThePools) {
    const std::string pools = "pools = [\"10.200.1.0/24\", \"10.200.2.0/24\"]\n";
    const auto error_with = [&](const std::string& nets) {
        return error_of(changed(kSample, pools, pools + "common_pool = [" + nets + "]\n"));
    };
    EXPECT_EQ(error_with("\"10.200.1.0/24\", \"10.200.2.128/25\""), "");
    EXPECT_THAT(error_with("\"10.200.0.0/16\""),
                HasSubstr("vpnha.toml:5: 10.200.0.0/16 lies within none of 'pools'"));
    EXPECT_THAT(error_with("\"10.200.3.0/24\""), HasSubstr("within none of 'pools'"));
    EXPECT_THAT(error_with("\"10.200.1.0/24\", \"10.200.1.128/25\""),
                HasSubstr("10.200.1.128/25 overlaps 10.200.1.0/24"));
    EXPECT_THAT(error_with("\"2001:db8::/64\""), HasSubstr("2001:db8::/64 is IPv6"));
}

TEST(ChecksTest, VirtualPoolsLieWithinThePoolsAndApartFromTheCommonPool) {
    const std::string pools = "pools = [\"10.200.1.0/24\", \"10.200.2.0/24\"]\n";
    const std::string common = pools + "common_pool = [\"10.200.1.0/25\"]\n";
    const auto error_with = [&](const std::string& nets) {
        return error_of(changed(kSample, pools, common) +
                        "[gateway.dialin.ipsec]\nvirtual_pools = [" + nets + "]\n");
    };
    EXPECT_EQ(error_with("\"10.200.1.128/25\", \"10.200.2.0/24\""), "");
    EXPECT_THAT(error_with("\"10.200.3.0/24\""),
                HasSubstr("vpnha.toml:14: 10.200.3.0/24 lies within none of 'pools'"));
    EXPECT_THAT(error_with("\"10.200.2.0/24\", \"10.200.2.128/25\""),
                HasSubstr("10.200.2.128/25 overlaps 10.200.2.0/24"));
    EXPECT_THAT(error_with("\"10.200.1.64/26\""),
                HasSubstr("10.200.1.64/26 overlaps 10.200.1.0/25 of 'common_pool'"));
}

TEST(ChecksTest, LimitsCountAddressesOfTheCommonPool) {
    const std::string pools = "pools = [\"10.200.1.0/24\", \"10.200.2.0/24\"]\n";
    const auto error_with = [&](const std::string& lines) {
        return error_of(changed(kSample, pools, pools + lines));
    };
    EXPECT_THAT(error_with("sessions_max = 5\nsessions_per_user_max = 2\n"),
                testing::AllOf(HasSubstr("sessions_max counts addresses of 'common_pool'"),
                               HasSubstr("sessions_per_user_max counts")));
    EXPECT_EQ(error_with("sessions_max = 5\ncommon_pool = [\"10.200.1.0/24\"]\n"), "");
    EXPECT_EQ(error_with("sessions_max = 0\n"), "");
}

TEST(ChecksTest, AccountingNeedsAServer) {
    const std::string servers = "[radius]\naccounting_servers = [\"198.51.100.5:1813\"]\n";
    const std::string sample = changed(kSample, "id = 1", "id = 1\naccounting = true");
    EXPECT_EQ(error_of(servers + sample), "");
    EXPECT_EQ(error_of(servers + kSample), "");
    EXPECT_THAT(error_of(sample), HasSubstr("vpnha.toml:3: there is nobody to account to"));
    EXPECT_EQ(error_of(servers + changed(sample, ".l2tp]", ".ipsec]")), "");
    EXPECT_EQ(error_of(servers + changed(sample, ".l2tp]", ".wireguard]")), "");
}

TEST(ChecksTest, AWitnessHasANameAndAddresses) {
    const auto error_with = [](const std::string& lines) {
        return error_of("[lease]\n" + lines + kSample);
    };
    EXPECT_EQ(error_with("witness = [\"wit1\"]\nwitness_name = \"wit1\"\n"), "");
    EXPECT_EQ(error_with("witness = []\nwitness_name = \"\"\n"), "");
    EXPECT_EQ(error_with("witness = [\"wit1\"]\n"),
              "vpnha.toml:2: 'witness' has no name, which is a part of its key; give it one, like "
              "witness_name = \"wit1\"");
    EXPECT_EQ(error_with("witness_name = \"w\"\n"),
              "vpnha.toml:2: 'witness_name' has no addresses; add some, like witness = "
              "[\"w.example.net:5421\"], or leave it out");
}

TEST(ChecksTest, AWitnessIsAtNoAddressOfAGateway) {
    const auto error_with = [](const std::string& address) {
        return error_of("[lease]\nwitness_name = \"w\"\nwitness = [\"" + address + "\"]\n" +
                        kSample);
    };
    EXPECT_EQ(error_with("192.0.2.101"), "");
    for (const char* own : {"192.0.2.100", "198.51.100.100:9", "10.200.0.1", "10.200.2.7"}) {
        EXPECT_THAT(error_with(own), HasSubstr("vpnha.toml:3: ")) << own;
        EXPECT_THAT(error_with(own), HasSubstr("belongs to gateway 'dialin'; give an address"));
    }
}

TEST(ChecksTest, RequestsOfServersNeedAccountsAndAPortOfTheirOwn) {
    const std::string radius =
        "[radius]\naccounting_servers = [\"198.51.100.5:1813\"]\ndynamic_authorization = true\n";
    const std::string sample = changed(kSample, "id = 1", "id = 1\naccounting = true");
    EXPECT_EQ(error_of(radius + sample), "");
    EXPECT_EQ(error_of(radius + "dynamic_authorization_clients = [\"198.51.100.9\"]\n" + sample),
              "");
    EXPECT_THAT(error_of(radius + kSample), HasSubstr("no gateway has 'accounting'"));
    EXPECT_THAT(error_of(radius + "dynamic_authorization_clients = [\"2001:db8::1\"]\n" + sample),
                HasSubstr("2001:db8::1 is IPv6"));
    EXPECT_THAT(error_of(radius + "dynamic_authorization_port = 5420\n" + sample),
                HasSubstr("port 5420 is that of [lease]"));
    EXPECT_THAT(error_of(radius + "dynamic_authorization_port = 0\n" + sample),
                HasSubstr("dynamic_authorization_port"));
}

TEST(ChecksTest, L2tpNeedsIpv4) {
    EXPECT_EQ(
        error_of(changed(kSample, "\"192.0.2.100/24\"", "\"2001:db8::1/64\", \"192.0.2.100/24\"")),
        "");
    EXPECT_EQ(error_of(changed(kSample, "192.0.2.100/24", "2001:db8::1/64")),
              "vpnha.toml:7: no IPv4 address for L2TP to listen on; add one to 'addresses', like "
              "\"192.0.2.100/24\"");
    EXPECT_EQ(
        error_of(changed(kSample, "\"10.200.1.0/24\", \"10.200.2.0/24\"", "\"2001:db8:1::/64\"")),
        "vpnha.toml:4: no IPv4 net for the clients of L2TP; add one to 'pools', like "
        "\"10.200.1.0/24\"");
}

TEST(ChecksTest, PptpNeedsIpv4) {
    const std::string sample = changed(kSample, "[gateway.dialin.l2tp]", "[gateway.dialin.pptp]");
    EXPECT_EQ(error_of(sample), "");
    EXPECT_THAT(error_of(changed(sample, "192.0.2.100/24", "2001:db8::1/64")),
                HasSubstr("no IPv4 address for PPTP"));
    EXPECT_THAT(
        error_of(changed(sample, "\"10.200.1.0/24\", \"10.200.2.0/24\"", "\"2001:db8:1::/64\"")),
        HasSubstr("no IPv4 net for the clients of PPTP"));
}

TEST(ChecksTest, WireguardHasADeviceAndAPortOfItsOwn) {
    const std::string sample = kSample + "[gateway.dialin.wireguard]\n";
    EXPECT_EQ(error_of(sample), "");
    EXPECT_EQ(error_of(sample + "device = \"eth2\"\n"),
              "vpnha.toml:13: 'device' is that of gateway 'dialin' already; give another");
    EXPECT_EQ(error_of(sample + "listen_port = 1701\n"),
              "vpnha.toml:13: 'listen_port' is that of L2TP of gateway 'dialin' already; give "
              "another");
    EXPECT_EQ(error_of(sample + "listen_port = 5420\n"),
              "vpnha.toml:13: 'listen_port' is that of [lease] already; give another");
}

TEST(ChecksTest, TheTableOfWhatWireguardSendsIsItsOwn) {
    EXPECT_EQ(error_of(changed(kSample, "id = 1", "id = 1\nroute_table = 3001") +
                       "[gateway.dialin.wireguard]\n"),
              "vpnha.toml:3: table 3001 is that of WireGuard of gateway 'dialin'; give another");
}

TEST(ChecksTest, TwoGatewaysHaveNothingOfWireguardInCommon) {
    const std::string sample =
        kSample + "[gateway.dialin.wireguard]\n" + kSecond + "[gateway.other.wireguard]\n";
    EXPECT_THAT(error_of(sample), HasSubstr("'device' is that of gateway 'dialin' already"));
    EXPECT_THAT(error_of(sample), HasSubstr("'listen_port' is that of gateway 'dialin' already"));
    EXPECT_EQ(error_of(sample + "device = \"wg1\"\nlisten_port = 51821\n"), "");
    const std::string apart = changed(sample, "id = 2\n", "id = 2\nnetns = \"b\"\n");
    EXPECT_EQ(error_of(apart), "") << "Each has the devices and ports of its namespace.";
    EXPECT_EQ(error_of(apart + "listen_port = 5420\n"), "") << "The lease has the host's.";
}

TEST(ChecksTest, RefusesAContradictionWithinOneGateway) {
    EXPECT_THAT(error_of(changed(kSample, "10.200.0.1", "10.200.1.1")),
                HasSubstr("vpnha.toml:3: 10.200.1.1 lies within pool 10.200.1.0/24"));
    EXPECT_THAT(error_of(changed(kSample, "10.200.0.1", "192.0.2.100")),
                HasSubstr("is given in 'addresses' of [gateway.dialin.outside] already"));
    EXPECT_THAT(error_of(changed(kSample, "10.200.2.0/24", "10.200.1.128/25")),
                HasSubstr("overlaps pool 10.200.1.0/24"));
    EXPECT_THAT(error_of(changed(kSample, "id = 1", "id = 1\nroute_table = 254")),
                HasSubstr("table 254 is the system's"));
    EXPECT_THAT(error_of("[daemon]\nplugin_socket = \"/run/vpnha/control.sock\"\n" + kSample),
                HasSubstr("vpnha.toml:2: 'plugin_socket' is the control socket too"));
}

TEST(ChecksTest, AGatewaysOwnAddressIsNobodysNeighbour) {
    EXPECT_THAT(error_of(kSample + "[gateway.dialin.links]\ninside_neighbours = "
                                   "[\"198.51.100.1\", \"198.51.100.100\"]\n"),
                HasSubstr("vpnha.toml:13: 198.51.100.100 is the gateway's own address"));
}

TEST(ChecksTest, ARouterMayBeOutOfTheReachOfAllAddresses) {
    const auto with = [](const std::string& address, const std::string& router) {
        return changed(kSample, "[\"192.0.2.100/24\"]\n",
                       "[\"" + address + "\"]\ndefault_via = [\"" + router + "\"]\n");
    };
    EXPECT_TRUE(parse(with("192.0.2.100/32", "172.31.1.1"), "vpnha.toml"));
    EXPECT_TRUE(
        parse(with("192.0.2.100/24\", \"2001:db8:1::100/64", "2001:db8:ffff::1"), "vpnha.toml"));
    EXPECT_THAT(error_of(with("192.0.2.100/24", "2001:db8:1::1")),
                HasSubstr("2001:db8:1::1 routes for none of 'addresses'"));
    EXPECT_THAT(error_of(with("192.0.2.100/24", "198.51.100.100")),
                HasSubstr("198.51.100.100 is the gateway's own address"));
}

TEST(ChecksTest, IpsecIsOfOneGatewayInANetworkNamespace) {
    const auto both = [](const std::string& of_first, const std::string& of_second) {
        return changed(kSample, "id = 1\n", "id = 1\n" + of_first) +
               "[gateway.dialin.ipsec]\nrequired = true\n" +
               changed(kSecond, "id = 2\n", "id = 2\n" + of_second) +
               "[gateway.other.ipsec]\nconnections = []\n";
    };
    EXPECT_EQ(error_of(kSample + "[gateway.dialin.ipsec]\nrequired = true\n" + kSecond), "");
    EXPECT_THAT(error_of(both("", "")),
                HasSubstr("gateway 'dialin' has IPsec in the host's network namespace already, "
                          "which has one charon; give 'other' a 'netns' of its own, or leave "
                          "[gateway.other.ipsec] out"));
    EXPECT_THAT(error_of(both("netns = \"a\"\n", "netns = \"a\"\n")),
                HasSubstr("gateway 'dialin' has IPsec in 'a' already"));
    EXPECT_EQ(error_of(both("netns = \"a\"\n", "netns = \"b\"\n")), "");
    EXPECT_EQ(error_of(both("netns = \"\"\n", "netns = \"b\"\n")), "") << "One in the host's.";
    EXPECT_THAT(error_of(both("netns = \"../a\"\n", "")), HasSubstr("'netns'"));
}

TEST(ChecksTest, APartHasTheGatewaysOfOneNetworkNamespace) {
    const auto config =
        parse(kSample + changed(kSecond, "id = 2\n", "id = 2\nnetns = \"b\"\n"), "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_THAT(config->namespaces(), ElementsAre("", "b"));
    EXPECT_NE(config->part("").find("dialin"), nullptr);
    EXPECT_EQ(config->part("").find("other"), nullptr);
    ASSERT_EQ(config->part("b").gateways.size(), 1U);
    EXPECT_EQ(config->part("b").gateways[0].name, "other");
}

TEST(ChecksTest, WithoutL2tpNothingRequiresIpsec) {
    const auto of = [](const std::string& ipsec) {
        std::string text = kSample;
        const std::string header = "[gateway.dialin.l2tp]\n";
        return error_of(
            text.replace(text.find(header), header.size(), "[gateway.dialin.ipsec]\n" + ipsec));
    };
    EXPECT_EQ(of(""), "") << "IKEv2 alone";
    EXPECT_EQ(of("required = true\n"),
              "vpnha.toml:12: there is no L2TP to require it for; add a table "
              "[gateway.dialin.l2tp], or leave 'required' out");
}

TEST(ChecksTest, RefusesBitsOfAMarkThatNobodyLooksAt) {
    const std::string table = kSample + "[gateway.dialin.conntrack]\n";
    EXPECT_EQ(error_of(table + "mark_mask = 0xff\nmark = 0x103\n"),
              "vpnha.toml:14: mark 0x103 has bits outside of mark_mask 0xff, which nobody looks "
              "at; write mark_mask = 0x1ff");
    EXPECT_EQ(error_of(table + "mark_mask = 0xff\nmark = 0x03\n"), "");
    EXPECT_EQ(error_of(table + "mark_mask = 0xff\n"), "");  // Those without a mark.
}

TEST(ChecksTest, AFlowIsOfOneGateway) {
    const auto both = [](const std::string& first, const std::string& second) {
        return error_of(kSample + "[gateway.dialin.conntrack]\n" + first + kSecond +
                        "[gateway.other.conntrack]\n" + second);
    };
    const std::string nets = "nets = [\"10.200.0.0/15\"]\n";
    EXPECT_EQ(
        both("", nets),
        "vpnha.toml:24: net 10.200.0.0/15 overlaps 10.200.0.1/32, 10.200.1.0/24, 10.200.2.0/24 of "
        "gateway 'dialin', and a flow "
        "is one gateway's; give other nets, or tell the flows apart by 'mark' and 'mark_mask' "
        "or by 'zones' of both");
    EXPECT_THAT(
        both(nets, ""),
        HasSubstr(
            "vpnha.toml:13: net 10.200.0.0/15 overlaps 10.201.0.1/32, 10.201.1.0/24 of gateway "
            "'other', "));
    EXPECT_THAT(both("nets = [\"192.0.2.101/32\"]\n", ""), HasSubstr("overlaps 192.0.2.101/32 of"));
    EXPECT_THAT(both("nets = [\"0.0.0.0/0\"]\n", nets), HasSubstr("vpnha.toml:25: net 10.200.0.0"));
    EXPECT_EQ(both("", "nets = [\"10.201.1.0/24\", \"::/0\"]\n"), "");
}

TEST(ChecksTest, MarksOrZonesDistinguishFlowsOfEqualNets) {
    const auto both = [](const std::string& first, const std::string& second) {
        const std::string nets = "nets = [\"0.0.0.0/0\"]\n";
        return error_of(kSample + "[gateway.dialin.conntrack]\n" + nets + first + kSecond +
                        "[gateway.other.conntrack]\n" + nets + second);
    };
    EXPECT_EQ(both("replicate = false\n", ""), "");
    EXPECT_EQ(both("mark = 1\nmark_mask = 3\n", "mark = 2\nmark_mask = 2\n"), "");
    EXPECT_EQ(both("zones = [1, 2]\n", "zones = [3]\n"), "");
    for (const auto& [first, second] :
         {std::pair("mark = 1\nmark_mask = 1\n", ""),
          std::pair("mark = 1\nmark_mask = 1\n", "mark = 2\nmark_mask = 2\n"),
          std::pair("zones = [1, 2]\n", ""), std::pair("zones = [1, 2]\n", "zones = [2, 3]\n")}) {
        EXPECT_THAT(both(first, second),
                    HasSubstr("net 0.0.0.0/0 overlaps 0.0.0.0/0 of gateway 'dialin'"))
            << first << second;
    }
}

}  // namespace checks_test
}  // namespace vpnha::config
