// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/fingerprints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/keys.hpp"
#include "unit/config/sample.hpp"

namespace vpnha::config {
namespace fingerprints_test {

const FingerprintKey& key() {
    static const FingerprintKey kKey("the cluster's key");
    return kKey;
}

std::uint64_t of(std::string_view content, LineOrder order = LineOrder::free) {
    return fingerprint_of_file(key(), content, order);
}

// Items by name, of the gateway or with gateway 0 of the node; files are all absent.
std::map<std::string, wire::Fingerprint> items_of(const std::string& toml, GatewayId gateway) {
    const Result<Config> config = parse(toml, "vpnha.toml");
    EXPECT_TRUE(config) << config.error().detail;
    std::map<std::string, wire::Fingerprint> items;
    for (const wire::Setup& setup :
         setups_of(*config, schema(), key(), [](const std::string&, LineOrder) { return 0; })) {
        if (setup.gateway == gateway) {
            for (const wire::Fingerprint& item : setup.items) {
                items[item.name] = item;
            }
        }
    }
    return items;
}

TEST(FingerprintsTest, EveryKeyIsAnItemOfItsGatewayOrOfTheNode) {
    const auto node = items_of(kSample, GatewayId{0});
    const auto gateway = items_of(kSample +
                                      "[gateway.dialin.pptp]\n[gateway.dialin.ipsec]\n"
                                      "[gateway.dialin.wireguard]\n",
                                  GatewayId{1});
    std::size_t of_gateways = 0;
    for (const Key& each : schema().keys()) {
        of_gateways += each.section.is_per_gateway ? 1 : 0;
    }
    EXPECT_EQ(node.size() + of_gateways, schema().keys().size());
    EXPECT_EQ(gateway.size(), of_gateways + 8)
        << "name, two files of secrets, options of L2TP and of PPTP, a file of connections, a "
           "private key, a file of peers";
    EXPECT_EQ(gateway.at("pools").weight, wire::Weight::session);
    EXPECT_EQ(gateway.at("route_table").weight, wire::Weight::note);
    EXPECT_EQ(gateway.at("secrets /etc/ppp/chap-secrets").weight, wire::Weight::session);
    EXPECT_EQ(gateway.at("options /etc/ppp/options.xl2tpd").weight, wire::Weight::session);
    EXPECT_EQ(gateway.at("connections /etc/swanctl/swanctl.conf").weight, wire::Weight::session);
    EXPECT_EQ(gateway.at("private_key /etc/vpnha/wireguard.key").weight, wire::Weight::session);
    EXPECT_EQ(gateway.at("peers /etc/vpnha/wireguard-peers.conf").weight, wire::Weight::session);
}

TEST(FingerprintsTest, AChangedValueChangesItsItemOnly) {
    auto before = items_of(kSample, GatewayId{1});
    auto after = items_of(changed(kSample, "10.200.2.0/24", "10.200.9.0/24"), GatewayId{1});
    EXPECT_NE(before["pools"], after["pools"]);
    before.erase("pools");
    after.erase("pools");
    EXPECT_EQ(before, after);
}

TEST(FingerprintsTest, WithoutTheClustersKeyNoFileIsCompared) {
    const Result<Config> config = parse(kSample, "vpnha.toml");
    ASSERT_TRUE(config);
    for (const wire::Setup& setup : setups_of(*config, schema(), key(), nullptr)) {
        for (const wire::Fingerprint& item : setup.items) {
            EXPECT_THAT(item.name, testing::Not(testing::HasSubstr("/etc/ppp/")));
        }
    }
}

TEST(FingerprintsTest, AnotherKeyGivesAnotherHash) {
    const FingerprintKey other("another key");
    EXPECT_NE(fingerprint_of_text(key(), "secret"), fingerprint_of_text(other, "secret"));
    EXPECT_NE(fingerprint_of_file(key(), "a b c", LineOrder::free),
              fingerprint_of_file(other, "a b c", LineOrder::free));
}

TEST(FingerprintsTest, CommentsAndBlanksOfAFileDoNotCount) {
    const std::uint64_t plain = of("alice * \"se cret\" *\nbob * pw *\n");
    EXPECT_EQ(of("# users\n\n  alice\t*  \"se cret\" *   # her\r\nbob * pw *"), plain);
    EXPECT_EQ(of("\n\nalice * \"se cret\" *\n\n\nbob * pw *\n#end\n"), plain);
    EXPECT_EQ(of(""), of("# nothing\n"));
    EXPECT_NE(of(""), plain);
}

TEST(FingerprintsTest, WhatPppdDistinguishesIsDistinguished) {
    const std::uint64_t plain = of("alice * \"se cret\" *");
    const char* const others[] = {"alice * \"se  cret\" *", "alice * se cret *",
                                  "alice * \"se cret\"",    "alice*\"se cret\" *",
                                  "alice * \"Se cret\" *",  "alice * \"se cret\" * *",
                                  "alice * \"se\ncret\" *"};
    for (const char* other : others) {
        EXPECT_NE(of(other), plain) << other;
    }
    EXPECT_NE(of("alice * pw#1 *"), of("alice * pw")) << "no comment within a word";
    EXPECT_NE(of("alice * \"#1\" *"), of("alice * \"#2\" *")) << "nor in quotes";
    EXPECT_EQ(of("alice * pw #1 *"), of("alice * pw"));
    EXPECT_NE(of("a \"b\\\" #x\" c"), of("a \"b\\\" #y\" c")) << "the quote is escaped";
}

TEST(FingerprintsTest, TheOrderOfLinesCountsForOptionsOnly) {
    EXPECT_EQ(of("a\nb\n"), of("b\na\n"));
    EXPECT_NE(of("a\na\nb\n"), of("b\na\n")) << "twice is not once";
    EXPECT_NE(of("mtu 1400\nmtu 1300\n", LineOrder::counts),
              of("mtu 1300\nmtu 1400\n", LineOrder::counts));
}

TEST(FingerprintsTest, EndsOfAnythingAreNoHarm) {
    for (const char* text : {"\\", "\"", "a \"b", "a\\", "'", "#", "\n", " "}) {
        EXPECT_EQ(of(text), of(text));
    }
}

}  // namespace fingerprints_test
}  // namespace vpnha::config
