// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/errors.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace errors_test {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(ErrorsTest, AllOfAFileAreReportedInItsOrder) {
    const std::string bad = R"([lease]
renew = "1s"
[gateway.dialin]
id = 300
ppp_local = "10.200.1.1"
pools = ["10.200.1.0/24", "10.200.1.128/25", "x"]
poools = []
[gateway.dialin.outside]
interfaec = "eth1"
addresses = ["192.0.2.100", "192.0.2.0/24", "192.0.2.100/24"]
[gateway.dialin.l2tp]
ports = 1701
[gateway.dialin.conntrack]
mark = 1
[gateway.other]
ppp_local = "192.0.2.100"
pools = ["10.200.0.0/16"]
)";
    const std::string expected[] = {
        "vpnha.toml:2: 'renew' has a bad value; it takes a string, duration, 10ms to 249ms, like "
        "renew = \"100ms\"",
        "vpnha.toml:3: [gateway.dialin] has no table [gateway.dialin.inside]",
        "vpnha.toml:4: 'id' has a bad value; it takes a number, 1 to 255, like id = 1",
        "vpnha.toml:5: 10.200.1.1 lies within pool 10.200.1.0/24 of gateway 'dialin', so that a "
        "client could be given it; take an address outside of all pools",
        "vpnha.toml:5: 10.200.1.1 lies within pool 10.200.0.0/16 of gateway 'other', so that a "
        "client could be given it; take an address outside of all pools",
        "vpnha.toml:6: 'x' in 'pools' is no unicast address with a prefix length; write it like "
        "[\"10.200.1.0/24\", \"10.200.2.0/24\", \"10.200.3.0/24\", \"10.200.16.0/20\", "
        "\"10.200.32.0/20\"]",
        "vpnha.toml:6: pool 10.200.1.128/25 overlaps pool 10.200.1.0/24; keep one of them",
        "vpnha.toml:7: unknown key 'poools' in [gateway.dialin]; did you mean 'pools'?",
        "vpnha.toml:9: unknown key 'interfaec' in [gateway.dialin.outside]; did you mean "
        "'interface'?",
        "vpnha.toml:10: '192.0.2.100' in 'addresses' is no unicast address with a prefix length; "
        "write it like [\"192.0.2.100/24\"]",
        "vpnha.toml:10: '192.0.2.0/24' in 'addresses' is the net's own or its broadcast address; "
        "give a host's",
        "vpnha.toml:12: unknown key 'ports' in [gateway.dialin.l2tp]; did you mean 'port'?",
        "vpnha.toml:14: mark 0x1 has bits outside of mark_mask 0x0, which nobody looks at; write "
        "mark_mask = 0x1",
        "vpnha.toml:15: [gateway.other] has no 'id'; add a line like id = 1",
        "vpnha.toml:15: [gateway.other] has no table [gateway.other.outside]",
        "vpnha.toml:15: [gateway.other] has no table [gateway.other.inside]",
        "vpnha.toml:15: [gateway.other] has no protocol that clients may dial; add its table "
        "[gateway.other.l2tp], [gateway.other.pptp], [gateway.other.ipsec] or "
        "[gateway.other.wireguard], which may be empty",
        "vpnha.toml:16: 192.0.2.100 belongs to gateway 'dialin' already; give another",
        "vpnha.toml:17: pool 10.200.0.0/16 overlaps pool 10.200.1.0/24 of gateway 'dialin'; give "
        "another net",
        "vpnha.toml:17: pool 10.200.0.0/16 overlaps pool 10.200.1.128/25 of gateway 'dialin'; "
        "give another net"};
    EXPECT_EQ(error_of(bad), fmt::format("{}", fmt::join(expected, "\n")));
}

TEST(ErrorsTest, AKeyInTheWrongTableIsReportedWithItsOwn) {
    const std::string pools = "pools = [\"10.200.1.0/24\", \"10.200.2.0/24\"]\n";
    EXPECT_EQ(error_of(changed(kSample, pools, "") + pools),
              "vpnha.toml:11: 'pools' is no key of [gateway.dialin.l2tp]; move it to "
              "[gateway.dialin]");
    const std::string ppp_local = "ppp_local = \"10.200.0.1\"\n";
    EXPECT_EQ(error_of(changed(kSample, ppp_local, "") + ppp_local),
              "vpnha.toml:11: 'ppp_local' is no key of [gateway.dialin.l2tp]; move it to "
              "[gateway.dialin]");
    EXPECT_EQ(error_of(changed(kSample, "id = 1", "id = 1\nport = 1701")),
              "vpnha.toml:3: 'port' is no key of [gateway.dialin]; move it to "
              "[gateway.dialin.l2tp]");
    EXPECT_THAT(error_of("[daemon]\ngroup = \"x\"\n" + kSample),
                HasSubstr("'group' is no key of [daemon]; move it to [cluster]"));
    EXPECT_THAT(error_of("[lease]\nid = 1\n" + kSample), HasSubstr("unknown key 'id' in [lease]"));
    EXPECT_THAT(error_of(changed(kSample, "id = 1", "id = 1\ninterface = \"x\"")),
                HasSubstr("unknown key 'interface' in [gateway.dialin]"))
        << "two tables have such a key";
}

TEST(ErrorsTest, AGatewayNeedsAProtocol) {
    EXPECT_EQ(error_of(changed(kSample, "[gateway.dialin.l2tp]\n", "")),
              "vpnha.toml:1: [gateway.dialin] has no protocol that clients may dial; add its table "
              "[gateway.dialin.l2tp], [gateway.dialin.pptp], [gateway.dialin.ipsec] or "
              "[gateway.dialin.wireguard], which may be empty");
    EXPECT_EQ(error_of(changed(kSample, "dialin.l2tp]", "dialin.l2tpp]")),
              "vpnha.toml:11: unknown key 'l2tpp' in [gateway.dialin]; did you mean 'l2tp'?");
    EXPECT_EQ(error_of(changed(changed(kSample, "[gateway.dialin.l2tp]\n", ""), "id = 1",
                               "id = 1\nl2tp = 1")),
              "vpnha.toml:3: 'l2tp' is a table; write it as [gateway.dialin.l2tp]");
}

TEST(ErrorsTest, WhatFollowsFromAnErrorIsNone) {
    EXPECT_EQ(error_of("[lease]\nduration = 200\nrenew = \"200ms\"\n" + kSample),
              "vpnha.toml:2: 'duration' has a bad value; it takes a string, duration, 50ms to "
              "500ms, or auto, like duration = \"300ms\"");
    EXPECT_EQ(error_of(kSample + "[gateway.dialin.conntrack]\nmark = 1\nmark_mask = \"x\"\n"),
              "vpnha.toml:14: 'mark_mask' has a bad value; it takes a number, 0 to 4294967295, "
              "like mark_mask = 0x0");
    EXPECT_EQ(error_of(changed(kSample, "id = 1\n", "") + changed(kSecond, "id = 2\n", "")),
              "vpnha.toml:1: [gateway.dialin] has no 'id'; add a line like id = 1\n"
              "vpnha.toml:11: [gateway.other] has no 'id'; add a line like id = 1");
    EXPECT_EQ(error_of(changed(kSample, "ppp_local = \"10.200.0.1\"\n", "") +
                       changed(kSecond, "ppp_local = \"10.201.0.1\"\n", "")),
              "vpnha.toml:1: [gateway.dialin] has no 'ppp_local'; add a line like ppp_local = "
              "\"10.200.0.1\"\n"
              "vpnha.toml:11: [gateway.other] has no 'ppp_local'; add a line like ppp_local = "
              "\"10.200.0.1\"");
    EXPECT_EQ(error_of("[daemon]\nplugin_socket = 1\ncontrol_socket = \"/run/vpnha/pppd.sock\"\n" +
                       kSample),
              "vpnha.toml:2: 'plugin_socket' has a bad value; it takes a string, absolute path of "
              "at most 107 bytes, like plugin_socket = \"/run/vpnha/pppd.sock\"");
    EXPECT_EQ(error_of(changed(kSample, "[\"192.0.2.100/24\"]", "[]")),
              "vpnha.toml:7: 'addresses' has a bad value; it takes an array of 1 to 64 strings, "
              "ADDRESS/LENGTH, like addresses = [\"192.0.2.100/24\"]");
}

TEST(ErrorsTest, ManyAreCountedAfterTheFirst) {
    std::string text = "[daemon]\n";
    for (std::size_t i = 0; i < limits::kConfigErrorsMax + 2; ++i) {
        text += fmt::format("zzzzzzzz{} = 1\n", i);
    }
    const std::string errors = error_of(text + kSample);
    EXPECT_EQ(static_cast<std::size_t>(std::count(errors.begin(), errors.end(), '\n')),
              limits::kConfigErrorsMax);
    EXPECT_THAT(errors, EndsWith("\nvpnha.toml: 2 more errors; correct these first"));
    EXPECT_THAT(error_of("[daemon]\nx = 1\n" + kSample), Not(HasSubstr("more errors")));
}

TEST(ErrorsTest, EachLineWithForeignLettersIsReported) {
    EXPECT_EQ(error_of("\xc3\xa9\xc3\xa9 = 1\nx = 1\n\"\xc3\" = 2\n"),
              "vpnha.toml:1: a character that is not ASCII; only comments may hold such\n"
              "vpnha.toml:3: a character that is not ASCII; only comments may hold such");
}

}  // namespace errors_test
}  // namespace vpnha::config
