// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/l2tp/table.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace toml_reader_test {

using testing::HasSubstr;
using testing::StartsWith;

struct BadFile {
    std::string from, to, expected_place, expected_words;
};

TEST(TomlReaderTest, NamesLineMistakeAndRemedy) {
    const BadFile cases[] = {
        {"id = 1", "idd = 1", "vpnha.toml:2: ", "did you mean 'id'?"},
        {"addresses =", "adresses =", "vpnha.toml:7: ", "did you mean 'addresses'?"},
        {"dialin.inside]", "dialin.insde]", "vpnha.toml:8: ", "did you mean 'inside'?"},
        {"id = 1", "id = 1\nzzzzzzzz = 1", "vpnha.toml:3: ", "known here: outside"},
        {"id = 1", "", "vpnha.toml:1: ", "has no 'id'; add a line like id = 1"},
        {"id = 1", "id = 0", "vpnha.toml:2: ", "number, 1 to 255"},
        {"id = 1", "id = 256", "vpnha.toml:2: ", "number, 1 to 255"},
        {"id = 1", "id = \"1\"", "vpnha.toml:2: ", "number, 1 to 255"},
        {"id = 1", "id = 1.5", "vpnha.toml:2: ", "number, 1 to 255"},
        {"id = 1", "id = 1\nid = 2", "vpnha.toml:3: ", "not TOML"},
        {"id = 1", "id = ", "vpnha.toml:2: ", "not TOML"},
        {"id = 1", "id = fals", "vpnha.toml:2: ", "saw 'fals '"},
        {"id = 1", "\"i\\nd\" = 1", "vpnha.toml:2: ", "'i d'"},
        {"[gateway.dialin.inside", "[\x01", "vpnha.toml:8: ", "not TOML"},
        {"\"eth1\"", "\"a-name-of-16-let\"", "vpnha.toml:6: ", "device name of at most 15"},
        {"\"eth1\"", "\"\"", "vpnha.toml:6: ", "device name"},
        {"\"eth1\"", "\"e h\"", "vpnha.toml:6: ", "device name"},
        {"[\"192.0.2.100/24\"]", "[]", "vpnha.toml:7: ", "array of 1 to"},
        {"[\"192.0.2.100/24\"]", "\"192.0.2.100/24\"", "vpnha.toml:7: ", "array of 1 to"},
        {"192.0.2.100/24", "192.0.2.100", "vpnha.toml:7: ", "with a prefix length"},
        {"192.0.2.100/24", "224.0.0.1/24", "vpnha.toml:7: ", "no unicast"},
        {"192.0.2.100/24", "127.0.0.1/8", "vpnha.toml:7: ", "no unicast"},
        {"192.0.2.100/24", "192.0.2.255/24", "vpnha.toml:7: ", "broadcast"},
        {"192.0.2.100/24", "192.0.2.0/24", "vpnha.toml:7: ", "broadcast"},
        {"192.0.2.100/24", "192.0.2.100/0", "vpnha.toml:7: ", "net, or 32"},
        {"192.0.2.100/24", "2001:db8::1", "vpnha.toml:7: ", "with a prefix length"},
        {"192.0.2.100/24", "2001:db8::1/129", "vpnha.toml:7: ", "with a prefix length"},
        {"192.0.2.100/24", "fe80::1/64", "vpnha.toml:7: ", "no unicast"},
        {"192.0.2.100/24", "ff02::1/64", "vpnha.toml:7: ", "no unicast"},
        {"192.0.2.100/24", "2001:db8::1/0", "vpnha.toml:7: ", "net, or 128"},
        {"192.0.2.100/24", "2001:db8::/64", "vpnha.toml:7: ", "the net's own"},
        {"10.200.1.0/24", "10.200.1.5/24", "vpnha.toml:4: ", "write 10.200.1.0/24"},
        {"10.200.1.0/24", "10.0.0.0/7", "vpnha.toml:4: ", "write 10.0.0.0/8"},
        {"10.200.1.0/24", "2001:db8::5/64", "vpnha.toml:4: ", "write 2001:db8::/64"},
        {"10.200.1.0/24", "2001::/8", "vpnha.toml:4: ", "write 2000::/16"},
        {"\"10.200.0.1\"", "\"10.200.0.1/32\"", "vpnha.toml:3: ", "unicast IPv4 address"},
        {"[gateway.dialin.inside]", "[gateway.dialin.x]\n[gateway.dialin.inside]",
         "vpnha.toml:8: ", "unknown key 'x' in [gateway.dialin]"},
        {"[gateway.dialin.inside]\ninterface = \"eth2\"\naddresses = [\"198.51.100.100/24\"]\n", "",
         "vpnha.toml:1: ", "has no table [gateway.dialin.inside]"},
    };
    for (const BadFile& bad : cases) {
        const std::string error = error_of(changed(kSample, bad.from, bad.to));
        EXPECT_THAT(error, StartsWith(bad.expected_place)) << bad.to;
        EXPECT_THAT(error, HasSubstr(bad.expected_words)) << bad.to;
    }
}

TEST(TomlReaderTest, RefusesWhatStandsInTheWrongPlace) {
    EXPECT_THAT(error_of("[clutser]\n" + kSample), HasSubstr("did you mean 'cluster'?"));
    EXPECT_THAT(
        error_of("[zzzzzzzz]\n" + kSample),
        HasSubstr("known here: cluster, daemon, replication, lease, fencing, radius, admission, "
                  "gateway"));
    EXPECT_THAT(error_of("cluster = 1\n" + kSample), HasSubstr("write it as [cluster]"));
    EXPECT_THAT(error_of("gateway.id = 1\n" + kSample), HasSubstr("below [gateway.NAME]"));
    EXPECT_THAT(error_of("[gateway.\"a b\"]\n"), HasSubstr("no name of a gateway"));
    EXPECT_THAT(error_of("[gateway.-]\n"), HasSubstr("no name of a gateway"));
    EXPECT_THAT(error_of("[gateway._x]\n"), HasSubstr("a letter or digit first"));
    EXPECT_THAT(error_of(""), HasSubstr("no gateway is configured"));
}

TEST(TomlReaderTest, TakesForeignLettersInCommentsOnly) {
    EXPECT_EQ(error_of("# \xc3\xa9\xff\n" + kSample + "# \xce\x9e"), "");
    EXPECT_EQ(error_of(changed(kSample, "id = 1", "id = 1 # \"\xc3\xa9")), "");
    EXPECT_THAT(error_of(changed(kSample, "eth1", "eth#\xc3\xa9")),
                StartsWith("vpnha.toml:6: a character that is not ASCII"));
    EXPECT_THAT(error_of(changed(kSample, "eth1", "e\\\"#\xc3\xa9")),
                StartsWith("vpnha.toml:6: a character that is not ASCII"));
    EXPECT_THAT(error_of("Zpoasay\xce\x9e."), HasSubstr("vpnha.toml:1: a character"));
}

TEST(TomlReaderTest, ALeaseMaySizeItself) {
    const std::string sized = "[lease]\nduration = \"auto\"\n";
    EXPECT_EQ(parse(sized + kSample, "vpnha.toml")->lease_duration, std::nullopt);
    EXPECT_EQ(parse(sized + "watch = \"24h\"\n" + kSample, "vpnha.toml")->lease_watch,
              std::chrono::hours(24));
    EXPECT_THAT(error_of(sized + "renew = \"50ms\"\n" + kSample),
                HasSubstr("'renew' is a quarter of the lease where 'duration' is \"auto\""));
    EXPECT_THAT(error_of(sized + "watch = \"59s\"\n" + kSample), HasSubstr("60s to 720h"));
    EXPECT_THAT(error_of("[lease]\nduration = \"Auto\"\n" + kSample), HasSubstr("or auto"));
    EXPECT_THAT(error_of(sized + "clock_grain = \"5ms\"\n" + kSample), HasSubstr("clock_grain"));
}

TEST(TomlReaderTest, KeepsDaemonKeysInTheirBounds) {
    EXPECT_EQ(error_of("[replication]\nconfirm_wait = \"0ms\"\n" + kSample), "");
    EXPECT_THAT(error_of("[replication]\nconfirm_wait = \"11s\"\n" + kSample),
                HasSubstr("vpnha.toml:2: 'confirm_wait' has a bad value"));
    EXPECT_THAT(error_of("[replication]\nconfirm_wait = 50\n" + kSample), HasSubstr("duration"));
    EXPECT_THAT(error_of("[daemon]\nlog_level = \"loud\"\n" + kSample),
                HasSubstr("one of error, warning, info, debug"));
    EXPECT_THAT(error_of("[daemon]\ncontrol_socket = \"run/x\"\n" + kSample),
                HasSubstr("absolute path"));
    EXPECT_THAT(error_of("[daemon]\ncontrol_socket = \"\"\n" + kSample),
                HasSubstr("absolute path"));
    EXPECT_THAT(
        error_of("[daemon]\ncontrol_socket = \"/" + std::string(107, 'x') + "\"\n" + kSample),
        HasSubstr("absolute path of at most 107"));
}

TEST(TomlReaderTest, ReadsFlags) {
    const Result<Config> config =
        parse("[cluster]\nreplicate_secrets_unencrypted = true\n" + kSample, "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_TRUE(config->replicate_secrets_unencrypted);
    for (const char* bad : {"\"true\"", "1", "\"yes\""}) {
        EXPECT_THAT(error_of(std::string("[cluster]\nreplicate_secrets_unencrypted = ") + bad +
                             "\n" + kSample),
                    HasSubstr("takes a boolean, true or false"));
    }
}

TEST(TomlReaderTest, ReadsTheAddressesOfAWitness) {
    const auto with = [](const std::string& list) {
        return "[lease]\nwitness_name = \"wit-1\"\nwitness = " + list + "\n" + kSample;
    };
    const Result<Config> config =
        parse(with(R"(["Wit1.example.net", "[2001:DB8::7]:5500", "[2001:db8::8]", "192.0.2.7:1"])"),
              "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->witness.name, "wit-1");
    EXPECT_EQ(config->witness.addresses, (std::vector<HostPort>{{"wit1.example.net", 5421},
                                                                {"2001:db8::7", 5500},
                                                                {"2001:db8::8", 5421},
                                                                {"192.0.2.7", 1}}));
    for (const std::string bad : {R"("")",
                                  R"("wit1:")",
                                  R"("wit1:0")",
                                  R"("wit1:65536")",
                                  R"("wit1:5421x")",
                                  R"("wit1:-1")",
                                  R"("2001:db8::7")",
                                  R"("[wit1]:5421")",
                                  R"("[192.0.2.7]:5421")",
                                  R"("[2001:db8::7")",
                                  R"("[2001:db8::7]x")",
                                  R"("192.0.2:5421")",
                                  R"("192.0.2.300")",
                                  R"("0.0.0.0")",
                                  R"("[fe80::1]:5421")",
                                  R"("wi 1")",
                                  R"("-wit1")",
                                  R"("wit1..net")",
                                  R"("wit1.")",
                                  "1"}) {
        EXPECT_THAT(error_of(with("[\"wit1\", " + bad + "]")),
                    HasSubstr("in 'witness' is no host with a port from 1 to 65535; write "
                              "\"HOST:5421\", or, of IPv6, \"[ADDRESS]:5421\""))
            << bad;
    }
    EXPECT_EQ(error_of(with("[\"x\",\n\"y:0\",\n\"X:5421\"]")),
              "vpnha.toml:4: 'y:0' in 'witness' is no host with a port from 1 to 65535; write "
              "\"HOST:5421\", or, of IPv6, \"[ADDRESS]:5421\"\n"
              "vpnha.toml:5: 'X:5421' in 'witness' is there already; leave it out");
    for (const std::string bad : {"\"wit1\"", R"(["a", "b", "c", "d", "e"])"}) {
        EXPECT_THAT(error_of(with(bad)), HasSubstr("it takes an array of 0 to 4 strings")) << bad;
    }
}

TEST(TomlReaderTest, AWitnessesNameIsALabel) {
    const auto with = [](const std::string& name) {
        return "[lease]\nwitness = [\"x\"]\nwitness_name = " + name + "\n" + kSample;
    };
    EXPECT_EQ(error_of(with("\"wit-1\"")), "");
    EXPECT_EQ(error_of(with("\"" + std::string(63, 'a') + "\"")), "");
    for (const std::string bad :
         {"\"Wit1\"", "\"wit_1\"", "\"wi.1\"", "\"wi 1\"", "1", "[\"wit1\"]"}) {
        EXPECT_THAT(error_of(with(bad)),
                    HasSubstr("vpnha.toml:3: 'witness_name' has a bad value; it takes a string, "
                              "lower-case letters, digits and -, at most 63"))
            << bad;
    }
    EXPECT_THAT(error_of(with("\"" + std::string(64, 'a') + "\"")), HasSubstr("at most 63"));
}

TEST(TomlReaderTest, ReadsAccountingServers) {
    const auto with = [](const std::string& list) {
        return "[radius]\naccounting_servers = " + list + "\n" + kSample;
    };
    const Result<Config> config =
        parse(with(R"(["198.51.100.5:1813", "198.51.100.5:1814"])"), "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->radius.accounting_servers.size(), 2U);
    EXPECT_EQ(to_string(config->radius.accounting_servers[1]), "198.51.100.5:1814");
    for (const std::string bad :
         {"\"198.51.100.5:1813\"", R"(["198.51.100.5"])", R"(["198.51.100.5:0"])",
          R"(["198.51.100.5:65536"])", R"(["198.51.100.5:18 "])", R"(["0.0.0.0:1813"])",
          R"(["radius:1813"])", R"(["198.51.100.5:1", "198.51.100.5:1"])", "[1]"}) {
        EXPECT_THAT(error_of(with(bad)), HasSubstr("it takes an array of 0 to 8 strings")) << bad;
    }
}

TEST(TomlReaderTest, ReadsNeighboursOfALink) {
    EXPECT_EQ(parse(kSample, "vpnha.toml")->gateways[0].links.hold_off, std::chrono::seconds(60))
        << "the table may be left out";
    const auto with = [](const std::string& list) {
        return kSample + "[gateway.dialin.links]\noutside_neighbours = " + list + "\n";
    };
    const Result<Config> config = parse(
        with(R"(["192.0.2.1", "fe80::1", "2001:db8::1"])") + "lost_after = 5\n", "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->gateways[0].links.outside_neighbours.size(), 3U);
    EXPECT_EQ(config->gateways[0].links.lost_after, 5U);
    for (const std::string bad : {"\"192.0.2.1\"", R"(["192.0.2.1/24"])", R"(["224.0.0.1"])",
                                  R"(["192.0.2.1", "192.0.2.1"])", R"([1])", R"(["::"])"}) {
        EXPECT_THAT(error_of(with(bad)), HasSubstr("it takes an array of 0 to 16 strings")) << bad;
    }
}

TEST(TomlReaderTest, ReadsNetsAndZonesOfFlows) {
    const auto given = [](const std::string& line) {
        return kSample + "[gateway.dialin.conntrack]\n" + line + "\n";
    };
    const Result<Config> config =
        parse(given("nets = [\"10.0.0.0/7\", \"0.0.0.0/0\", \"::/0\"]\nzones = [0, 65535]\n"
                    "mark = 0x1\nmark_mask = 4294967295\ndelay = \"1m\""),
              "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    const Conntrack& conntrack = config->gateways[0].conntrack;
    ASSERT_EQ(conntrack.nets.size(), 3U);
    EXPECT_EQ(to_string(conntrack.nets[0]), "10.0.0.0/7");
    EXPECT_EQ(to_string(conntrack.nets[2]), "::/0");
    EXPECT_EQ(conntrack.zones, (std::vector<std::uint16_t>{0, 65535}));
    EXPECT_EQ(conntrack.mark, 1U);
    EXPECT_EQ(conntrack.mark_mask, 0xffffffffU);
    EXPECT_EQ(conntrack.delay, std::chrono::seconds(60));

    const std::pair<std::string, std::string> bad[] = {
        {"nets = [\"10.0.0.1/8\"]", "'10.0.0.1/8' in 'nets' is no net; write 10.0.0.0/8"},
        {"nets = [\"10.0.0.0\"]", "'10.0.0.0' in 'nets' is no net; write it like ["},
        {"nets = [7]", "'' in 'nets' is no net; write it like ["},
        {"nets = \"10.0.0.0/8\"", "array of 0 to 64 strings, NET/LENGTH"},
        {"zones = [1, 1]", "array of 0 to 16 numbers, 0 to 65535, each once"},
        {"zones = [65536]", "each once, like zones = [1, 2]"},
        {"zones = [-1]", "each once"},
        {"zones = [\"1\"]", "each once"},
        {"zones = 1", "each once"},
        {"zones = [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]", "each once"},
        {"mark = 4294967296", "number, 0 to 4294967295"},
        {"delay = \"61s\"", "duration, 0ms to 60s"},
        {"net = []", "unknown key 'net' in [gateway.dialin.conntrack]; did you mean"},
    };
    for (const auto& [line, words] : bad) {
        EXPECT_THAT(error_of(given(line)), StartsWith("vpnha.toml:13: ")) << line;
        EXPECT_THAT(error_of(given(line)), HasSubstr(words)) << line;
    }
}

TEST(TomlReaderTest, ReadsRates) {
    const auto given = [](const std::string& line) {
        return kSample + "[gateway.dialin.bandwidth]\n" + line + "\n";
    };
    const Result<Config> config =
        parse(given("radius = true\ndefault = \"20M/5M\"\n"
                    "users = [\"alice 100M\", \"DOM\\\\bob the first 0/64K\"]"),
              "vpnha.toml");
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    const Bandwidth& bandwidth = config->gateways[0].bandwidth;
    EXPECT_TRUE(bandwidth.by_radius);
    EXPECT_EQ(bandwidth.fallback, (Rate{20'000'000, 5'000'000}));
    EXPECT_EQ(bandwidth.users, (std::vector<UserRate>{{"alice", {100'000'000, 100'000'000}},
                                                      {"DOM\\bob the first", {0, 64'000}}}));

    const std::pair<std::string, std::string> bad[] = {
        {"default = \"20000\"", "it takes a string, rate, like default = \"20M/5M\""},
        {"default = 20", "string, rate"},
        {"users = [\"alice\"]", "'alice' in 'users' is no user with a rate; write it like ["},
        {"users = [\" 1M\"]", "is no user with a rate"},
        {"users = [\"alice fast\"]", "is no user with a rate"},
        {"users = [\"alice 1M\", \"alice 2M\"]",
         "'alice 2M' in 'users' has a user that is there already; leave it out"},
        {"users = \"alice 1M\"", "array of 0 to 1000 strings, USER RATE, each user once"},
        {"user = []", "unknown key 'user' in [gateway.dialin.bandwidth]; did you mean"},
    };
    for (const auto& [line, words] : bad) {
        EXPECT_THAT(error_of(given(line)), StartsWith("vpnha.toml:13: ")) << line;
        EXPECT_THAT(error_of(given(line)), HasSubstr(words)) << line;
    }
}

TEST(TomlReaderTest, ReadsListsOfPaths) {
    const auto with = [](const std::string& list) { return kSample + "secrets = " + list + "\n"; };
    const Result<Config> config = parse(with(R"(["/a", "/b/c"])"), "vpnha.toml");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->gateways[0].protocols.get<l2tp::Table>()->secrets,
              (std::vector<std::string>{"/a", "/b/c"}));
    EXPECT_EQ(error_of(with("[]")), "");
    for (const std::string bad :
         {"\"/a\"", R"(["a"])", R"(["/"])", R"(["/a", 1])", R"(["/a", "/a"])"}) {
        EXPECT_THAT(error_of(with(bad)), HasSubstr("it takes an array of 0 to 16 strings")) << bad;
    }
    EXPECT_THAT(error_of(with("[\"/" + std::string(240, 'x') + "\"]")),
                HasSubstr("absolute paths"));
}

}  // namespace toml_reader_test
}  // namespace vpnha::config
