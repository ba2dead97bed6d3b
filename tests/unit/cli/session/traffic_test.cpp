// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session/traffic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vpnha::cli::session {
namespace traffic_test {

using nlohmann::json;

const Reading kBefore{
    {.octets_in = 1'000, .octets_out = 5'000, .packets_in = 10, .packets_out = 50}, 100.0};

TEST(SessionTrafficTest, ARateIsWhatPassedInASecond) {
    const Reading after{
        {.octets_in = 2'000, .octets_out = 1'005'000, .packets_in = 30, .packets_out = 1'050},
        102.0};
    const Rate rate = rate_of(kBefore, after);
    EXPECT_DOUBLE_EQ(rate.bits_in, 4'000);
    EXPECT_DOUBLE_EQ(rate.bits_out, 4'000'000);
    EXPECT_DOUBLE_EQ(rate.packets_in, 10);
    EXPECT_DOUBLE_EQ(rate.packets_out, 500);
    EXPECT_EQ(render_traffic(after, rate),
              "received     2000 octets in 30 packets; now 4.0 kbit/s, 10 packets/s\n"
              "sent         1005000 octets in 1050 packets; now 4.0 Mbit/s, 500 packets/s\n");
    EXPECT_EQ(traffic_json(after, rate).at("octets_out"), 1'005'000);
    EXPECT_EQ(traffic_json(after, rate).at("packets_in_per_s"), 10.0);
}

TEST(SessionTrafficTest, OfNoTimeAtAllThereIsNoRate) {
    EXPECT_EQ(rate_of(kBefore, kBefore).bits_out, 0);
}

TEST(SessionTrafficTest, WhatAnotherNodeServesHasNoCountersHere) {
    const auto reading =
        read_traffic({{"address", "10.200.1.11"}, {"gateway", "dialin"}, {"state", "hot"}});
    ASSERT_TRUE(reading) << reading.error().detail;
    EXPECT_FALSE(reading->has_value());
}

TEST(SessionTrafficTest, OfASessionWithoutADeviceItIsWhatVpnhadKnows) {
    const json esp{{"unit", "packets"}, {"in", 5}, {"out", 7}};
    const auto packets = read_traffic({{"state", "resumed"}, {"passed", esp}});
    ASSERT_TRUE(packets && *packets);
    EXPECT_EQ(render_traffic(**packets, {.packets_out = 3}),
              "received     5 packets; now 0 packets/s\nsent         7 packets; now 3 packets/s\n");
    EXPECT_FALSE(traffic_json(**packets, {}).contains("octets_in"));
    const json wireguard{{"unit", "octets"}, {"in", 500}, {"out", 700}};
    const auto octets = read_traffic({{"state", "protected"}, {"passed", wireguard}});
    ASSERT_TRUE(octets && *octets);
    EXPECT_EQ(render_traffic(**octets, {.bits_in = 8}),
              "received     500 octets; now 8 bit/s\nsent         700 octets; now 0 bit/s\n");
    EXPECT_FALSE(traffic_json(**octets, {}).contains("packets_in"));
}

TEST(SessionTrafficTest, ASessionWithoutADeviceOfItsOwnHasNone) {
    for (const char* const address : {"", "fe80::1", "192.0.2.77"}) {
        const auto reading =
            read_traffic({{"address", address}, {"gateway", "dialin"}, {"state", "protected"}});
        ASSERT_TRUE(reading) << reading.error().detail;
        EXPECT_FALSE(reading->has_value()) << address;
    }
}

}  // namespace traffic_test
}  // namespace vpnha::cli::session
