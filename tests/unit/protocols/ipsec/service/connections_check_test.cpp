// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/connections_check.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "protocols/ipsec/table.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace connections_check_test {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Rules as `nft -j list ruleset` prints them; `verdict` of the one for IKE.
std::string rules_with(const std::string& verdict, const std::string& port) {
    return R"({"nftables": [{"metainfo": {"json_schema_version": 1}}, {"table": {"name": "t"}},
        {"rule": {"table": "t", "expr": [{"drop": null}]}},
        {"rule": {"table": "t", "expr": [
            {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}},
                       "right": )" +
           port + R"(}},
            {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}},
            {"counter": {"packets": 0, "bytes": 0}}, {")" +
           verdict + R"(": null}]}}]})";
}

const auto kNoRules = [] { return Result<std::string>(R"({"nftables": []})"); };

class ConnectionsCheckTest : public ::testing::Test {
  protected:
    ConnectionsCheckTest() {
        std::filesystem::create_directories(folder_ / "conf.d");
        config_.gateways.emplace_back();
        config_.gateways.emplace_back().protocols.serve<ipsec::Table>();
        gateway().outside.addresses = {host_prefix(*parse_ip("192.0.2.100"))};
        gateway().protocols.get<ipsec::Table>()->connections = {folder_ / "swanctl.conf"};
        write("swanctl.conf", "include conf.d/*.conf\ninclude swanctl.conf\n");
    }
    ~ConnectionsCheckTest() override { std::filesystem::remove_all(folder_); }

    config::Gateway& gateway() { return config_.gateways[1]; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }

    std::filesystem::path folder_ = temporary_path("connections");
    config::Config config_;
};

TEST_F(ConnectionsCheckTest, WhatAFileIncludesCounts) {
    write("conf.d/a.conf",
          "connections { a { local_addrs = 192.0.2.100\n mobike = no\n unique = never\n "
          "rekey_time = 8h\n proposals = aes256-sha256-modp2048 } }");
    EXPECT_THAT(find_in_connections(config_).warnings, IsEmpty());
    write("conf.d/b.conf", "connections { a { unique = no } }");
    EXPECT_THAT(find_in_connections(config_).warnings, ElementsAre(HasSubstr("unique is no")));
    write("conf.d/c.conf", "secrets { ppk { secret = x } }");
    EXPECT_THAT(find_in_connections(config_).refused, ElementsAre(HasSubstr("it is a PPK")));
}

TEST_F(ConnectionsCheckTest, NobodyIsAccountedForTwice) {
    const auto twice = HasSubstr("each session twice");
    const auto warnings = [this](const std::string& plugin) {
        write("strongswan.conf", "charon { plugins { eap-radius { " + plugin + " } } }");
        return find_in_connections(config_, kNoRules, {}, folder_ / "strongswan.conf").warnings;
    };
    EXPECT_THAT(warnings("accounting = yes"), Not(Contains(twice))) << "vpnhad does not account";
    gateway().accounting = true;
    EXPECT_THAT(warnings("accounting = Yes"), Contains(twice));
    EXPECT_THAT(warnings("accounting = no"), Not(Contains(twice)));
    EXPECT_THAT(warnings("sockets = 8"), Not(Contains(twice)));
    std::filesystem::remove(folder_ / "strongswan.conf");
    EXPECT_THAT(find_in_connections(config_, kNoRules, {}, folder_ / "strongswan.conf").warnings,
                Not(Contains(twice)));
}

TEST_F(ConnectionsCheckTest, WhatCannotBeReadIsNamed) {
    write("conf.d/a.conf", "connections {");
    EXPECT_THAT(find_in_connections(config_).refused,
                ElementsAre(HasSubstr("swanctl.conf: line 3 cannot be read")))
        << "the section ends nowhere";
    write("conf.d/a.conf", "connections x\n");
    EXPECT_THAT(find_in_connections(config_).refused,
                ElementsAre(HasSubstr("a.conf: line 1 cannot be read")));
    gateway().protocols.get<ipsec::Table>()->connections = {folder_ / "nothing.conf"};
    EXPECT_THAT(find_in_connections(config_).warnings, ElementsAre(HasSubstr("not looked at")));
}

TEST_F(ConnectionsCheckTest, PoolsAreComparedWithCharonsSettings) {
    write("conf.d/a.conf",
          "connections { a { local_addrs = 192.0.2.100\n mobike = no\n unique = never\n "
          "rekey_time = 8h\n proposals = aes256-sha256-modp2048\n pools = clients } }");
    const std::string settings = folder_ / "strongswan.conf";
    const auto warnings = [&] {
        return find_in_connections(config_, kNoRules, {}, settings).warnings;
    };
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("pools: not looked at")));
    write("strongswan.conf", "charon { plugins { ha { pools { clients = 10.200.32.0/20 } } } }");
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("no route leads to its clients")));
    gateway().protocols.get<ipsec::Table>()->virtual_pools = {*parse_ip_prefix("10.200.32.0/20")};
    EXPECT_THAT(warnings(), IsEmpty());
    gateway().protocols.get<ipsec::Table>()->virtual_pools = {};
    gateway().netns = "vpn";
    EXPECT_THAT(warnings(), IsEmpty()) << "it may have other settings";
}

TEST_F(ConnectionsCheckTest, ClientsThatMoveNeedARule) {
    const auto warnings = [this](const std::string& rules) {
        return find_in_connections(config_, [&rules] { return Result<std::string>(rules); })
            .warnings;
    };
    const std::string rest =
        " { version = 2\n local_addrs = 192.0.2.100\n unique = never\n rekey_time = 8h\n "
        "proposals = aes256-sha256-modp2048\n mobike = ";
    write("conf.d/a.conf", "connections { a" + rest + "yes } b" + rest + "no } }");
    EXPECT_THAT(warnings(rules_with("drop", R"({"set": [500, 4500]})")), IsEmpty());
    EXPECT_THAT(warnings(rules_with("drop", "4500")), IsEmpty());
    const auto none = ElementsAre(
        AllOf(HasSubstr("connection a: mobike is yes"), HasSubstr("nftables has none")));
    EXPECT_THAT(warnings(rules_with("accept", "4500")), none);
    EXPECT_THAT(warnings(rules_with("drop", "500")), none);
    EXPECT_THAT(warnings(R"({"nftables": []})"), none);
    EXPECT_THAT(warnings("{"),
                ElementsAre(HasSubstr("not looked at: the list of nftables' rules")));
    EXPECT_THAT(
        find_in_connections(
            config_, [] { return Result<std::string>(fail(Errc::unsupported, "no libnftables")); })
            .warnings,
        ElementsAre(HasSubstr("not looked at: no libnftables")));
    write("conf.d/a.conf", "connections { b" + rest + "no } }");
    EXPECT_THAT(warnings("{"), IsEmpty()) << "nobody moves";
}

TEST_F(ConnectionsCheckTest, WhatAppArmorKeepsFromSwanctlIsNamed) {
    write("profiles", "/usr/sbin/swanctl (enforce)\n");
    write("conf.d/a.conf", "connections { a { ppk_id = x } }");
    const auto found = find_in_connections(config_, kNoRules, {.profiles = folder_ / "profiles"});
    EXPECT_THAT(found.refused,
                ElementsAre(HasSubstr("does not let /usr/sbin/swanctl read"), HasSubstr("ppk_id")))
        << "and what the file has is named as well";
}

TEST_F(ConnectionsCheckTest, WithoutIpsecNothingIsLookedAt) {
    config_.gateways.pop_back();
    EXPECT_THAT(find_in_connections(config_).refused, IsEmpty());
    EXPECT_THAT(find_in_connections(config_).warnings, IsEmpty());
}

}  // namespace connections_check_test
}  // namespace vpnha::runtime
