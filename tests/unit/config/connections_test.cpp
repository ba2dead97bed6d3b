// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connections.hpp"

#include <gmock/gmock.h>

namespace vpnha::config {
namespace connections_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::set<IpAddress> kVips{*parse_ip("192.0.2.100"), *parse_ip("2001:db8::100")};

constexpr const char* kGood = R"(# As shipped.
connections {
    road {
        local_addrs = 192.0.2.100, 2001:db8::100   # Both.
        mobike = no
        unique = never
        rekey_time = 8h
        proposals = aes256-sha256-modp2048, aes256-sha256-ecp256
        children {
            net { rekey_time = 3600 }
        }
    }
}
connections { road { children { net {
    rand_time = 0
} } } }
secrets { ike-1 { secret = "with # and }" } }
)";

ConnectionFindings all_findings(const std::string& text) {
    const auto parsed = parse_strongswan({"swanctl.conf", text}, [](const auto&, const auto&) {
        return std::vector<StrongswanFile>{};
    });
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return findings_in_connections(with_references(*parsed), kVips);
}

std::vector<std::string> findings(const std::string& text) {
    const ConnectionFindings found = all_findings(text);
    EXPECT_THAT(found.refused, IsEmpty());
    return found.warnings;
}

std::string with(const std::string& what, const std::string& instead) {
    std::string text = kGood;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, what.size(), instead);
}

TEST(ConnectionsTest, WhatIsShippedIsGood) {
    EXPECT_THAT(findings(kGood), IsEmpty());
    EXPECT_THAT(findings(with("192.0.2.100, ", "192.0.2.100/32, ")), IsEmpty());
}

TEST(ConnectionsTest, EachThingThatATakeoverSuffersFromIsNamed) {
    for (const auto& [good, bad, named] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"mobike = no", "", "road: mobike is not set"},
             {"unique = never", "unique = replace", "unique is replace"},
             {"rekey_time = 8h", "", "road: rekey_time is 4h"},
             {"rekey_time = 8h", "rekey_time = 25h", "not from 8h to 24h"},
             {"rekey_time = 3600", "rekey_time = 15 m", "child net: rekey_time is 15 m"},
             {"rekey_time = 3600", "rekey_time = 9h", "not from 1h to 8h"},
             {"rand_time = 0", "", "child net: rand_time"},
             {"rand_time = 0", "rand_time = 0\nah_proposals = sha256", "ah_proposals is sha256"},
             {"rand_time = 0", "rand_time = 0\nipcomp = yes", "ipcomp is yes, not no"},
             {"rand_time = 0", "rand_time = 0\nupdown = /bin/true", "updown is /bin/true"},
             {"rand_time = 0", "rand_time = 0\ninactivity = 5m", "inactivity is 5m, not 0"},
             {"rand_time = 0", "rand_time = 0\nlabel = x", "label is x"},
             {"rand_time = 0", "rand_time = 0\nstart_action = start", "start_action is start"},
             {"rand_time = 0", "rand_time = 0\nstart_action = trap|start",
              "start_action is trap|start"},
             {"rand_time = 0", "rand_time = 0\nif_id_in = %unique", "if_id_in is %unique"},
             {"rand_time = 0", "rand_time = 0\nif_id_out = %unique", "if_id_out is %unique"},
             {"mobike = no", "mobike = no\nif_id_in = %unique-dir", "if_id_in is %unique-dir"},
             {"mobike = no", "mobike = no\nif_id_out = %unique", "if_id_out is %unique"},
             {"192.0.2.100, ", "192.0.2.1, ", "has 192.0.2.1, which is no VIP"},
             {"192.0.2.100, ", "192.0.2.100/31, ", "has 192.0.2.100/31, which is no VIP"},
             {"local_addrs = 192.0.2.100, 2001:db8::100", "", "has %any"}}) {
        EXPECT_THAT(findings(with(good, bad)), ElementsAre(HasSubstr(named))) << bad;
    }
    EXPECT_THAT(findings("secrets { }"), ElementsAre("there are no connections"));
}

TEST(ConnectionsTest, AChildOfL2tpWithoutItsMarksIsNamed) {
    const auto child = [](const std::string& marks, const std::string& local = "dynamic[udp/1701]",
                          const std::string& mode = "transport") {
        return findings(with("rand_time = 0", "rand_time = 0\nmode = " + mode +
                                                  "\nlocal_ts = " + local + "\n" + marks));
    };
    const std::string all = "mark_in = %unique\nmark_out = %unique\nset_mark_in = %same";
    EXPECT_THAT(child(all), IsEmpty());
    EXPECT_THAT(child(""), ElementsAre(AllOf(HasSubstr("child net: mark_in is not %unique: of the"),
                                             HasSubstr("write mark_in = %unique"))));
    EXPECT_THAT(child("mark_in = %unique\nmark_out = %unique"),
                ElementsAre(HasSubstr("set_mark_in is not %same")));
    EXPECT_THAT(child("mark_in = 5\nmark_out = %unique\nset_mark_in = %same"),
                ElementsAre(HasSubstr("mark_in is not %unique")));
    for (const char* any_port : {"dynamic[udp]", "192.0.2.100/32[udp]", "dynamic"}) {
        EXPECT_THAT(child("", any_port), IsEmpty()) << "an old Android's: " << any_port;
    }
    EXPECT_THAT(child("", "10.0.0.0/24", "tunnel"), IsEmpty());
}

TEST(ConnectionsTest, WhereWindowsWouldRefuseTheGatewaysRekeyIsNamed) {
    const std::string proposals = "proposals = aes256-sha256-modp2048, aes256-sha256-ecp256";
    for (const auto& [bad, named] : std::vector<std::pair<std::string, std::string>>{
             {"", "proposals is not named, not modp2048"},
             {"proposals =", "proposals is not named, not modp2048"},
             {"proposals = aes256-sha256", "proposals is not named, not modp2048"},
             {"proposals = aes256-sha256-ecp256,aes256-sha256-modp2048", "ecp256, not modp2048"},
             {"proposals = aes256-sha256-x25519-modp2048", "x25519, not modp2048"},
             {"proposals = aes256-sha256-modp2048s256", "modp2048s256, not modp2048"}}) {
        EXPECT_THAT(findings(with(proposals, bad)),
                    ElementsAre(AllOf(HasSubstr("road: the first group of"), HasSubstr(named))))
            << bad;
    }
    EXPECT_THAT(findings(with(proposals, "proposals = aes256-sha256-sha1-modp2048-ecp256")),
                IsEmpty());
    for (const char* other :
         {"version = 1", "remote { auth = psk }", "version = 2\nremote-1 { auth = psk }"}) {
        EXPECT_THAT(findings(with(proposals, other)), IsEmpty()) << other;
    }
    EXPECT_THAT(findings(with(proposals, "version = 2\nremote { auth = eap-mschapv2 }")),
                ElementsAre(HasSubstr("not modp2048")));
}

TEST(ConnectionsTest, WhatNodesOfTwoReleasesTakeDifferentlyIsNamed) {
    const std::string proposals = "proposals = aes256-sha256-modp2048, ";
    EXPECT_THAT(
        findings(with(proposals, "proposals = aes256-sha256-modp2048-ke1_ecp384, ")),
        ElementsAre(HasSubstr("road: proposals has aes256-sha256-modp2048-ke1_ecp384: a node")));
    EXPECT_THAT(findings(with("rekey_time = 3600",
                              "rekey_time = 3600\nesp_proposals = "
                              "aes256gcm16, aes256gcm16-x25519-ke7_none")),
                ElementsAre(HasSubstr("child net: esp_proposals has aes256gcm16-x25519-ke7_none")));
    for (const char* other : {"proposals = aes256-sha256-modp2048-ke8_x, ",
                              "proposals = aes256-sha256-modp2048-make1_x, "}) {
        EXPECT_THAT(findings(with(proposals, other)), IsEmpty()) << other;
    }
    EXPECT_THAT(findings(with("unique = never", "unique = never\nlocal { certs = c.pem }")),
                ElementsAre(HasSubstr("road: local has no id: strongSwan 5.9 takes the address")));
    for (const char* other : {"local { id = vpn.example.org }", "local-1 { auth = psk }"}) {
        EXPECT_THAT(findings(with("unique = never", std::string("unique = never\n") + other)),
                    IsEmpty())
            << other;
    }
}

TEST(ConnectionsTest, WithWhatNoStandbyCouldContinueNoGatewayIsServed) {
    for (const auto& [good, bad, named] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"mobike = no", "mobike = no\nppk_id = us@example.org", "road: ppk_id is us@"},
             {"mobike = no", "mobike = no\nppk_required = yes", "ppk_required is yes, not no"},
             {"secrets {", "secrets { ppk-1 { secret = x } ", "secrets ppk-1: it is a PPK"},
             {"rand_time = 0", "rand_time = 0\nhw_offload = auto", "hw_offload is auto, not no"}}) {
        const ConnectionFindings found = all_findings(with(good, bad));
        EXPECT_THAT(found.refused, ElementsAre(HasSubstr(named))) << bad;
        EXPECT_THAT(found.warnings, IsEmpty());
    }
}

TEST(ConnectionsTest, APoolOfSwanctlConfIsNamed) {
    const std::string text = with("mobike = no", "mobike = no\npools = clients, b");
    EXPECT_THAT(findings(text), IsEmpty());
    EXPECT_THAT(findings(text + "pools { b { addrs = 10.1.0.0/24 } }"),
                ElementsAre(HasSubstr("pool b is one of swanctl.conf")));
}

TEST(ConnectionsTest, ValuesThatMeanTheDefaultAreGood) {
    for (const char* same : {"if_id_in = 42", "inactivity = 0s", "start_action = none",
                             "hw_offload = no", "ipcomp = no", "updown ="}) {
        EXPECT_THAT(findings(with("rand_time = 0", "rand_time = 0\n" + std::string(same))),
                    IsEmpty())
            << same;
    }
}

}  // namespace connections_test
}  // namespace vpnha::config
