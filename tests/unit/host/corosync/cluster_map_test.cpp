// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/cluster_map.hpp"

#include <gtest/gtest.h>

namespace vpnha::adapters {
namespace cluster_map_test {

TEST(ClusterMapTest, OnlyKnetWithACipherEncrypts) {
    struct Case {
        TotemKeys keys;
        const char* reason;
    };
    const Case cases[] = {
        {{"", "", "aes256"}, ""},
        {{"knet", "off", "aes128"}, ""},
        {{"knet", "on", ""}, ""},
        {{"", "", ""}, "totem.crypto_cipher is not set"},
        {{"knet", "off", ""}, "totem.crypto_cipher is not set"},
        {{"knet", "on", "none"}, "totem.crypto_cipher is none"},
        {{"udpu", "on", "aes256"}, "totem.transport is udpu, and only knet encrypts"},
    };
    for (const Case& each : cases) {
        EXPECT_EQ(unencrypted_because(each.keys), each.reason);
    }
}

TEST(ClusterMapTest, ANamesAddressIsTheOneThatCorosyncTakes) {
    EXPECT_EQ(name_address("ipv4", ""), NameAddress::ipv4);
    EXPECT_EQ(name_address("ipv6", ""), NameAddress::ipv6);
    EXPECT_EQ(name_address("ipv4-6", ""), NameAddress::ipv4_first);
    for (const char* version : {"", "ipv6-4", "ipv5"}) {
        EXPECT_EQ(name_address(version, ""), NameAddress::ipv6_first);
        EXPECT_EQ(name_address(version, "udpu"), NameAddress::ipv6_first);
    }
    EXPECT_EQ(name_address("", "udp"), NameAddress::ipv4);
    EXPECT_EQ(name_address("ipv6-4", "udp"), NameAddress::ipv6_first);
}

TEST(ClusterMapTest, ANodeIsCalledAsPacemakerCallsIt) {
    EXPECT_EQ(node_name("gw1", "10.0.0.1"), "gw1");
    EXPECT_EQ(node_name("gw1", "gw1-ring0.example"), "gw1");
    EXPECT_EQ(node_name("", "gw1-ring0.example"), "gw1-ring0.example");
    EXPECT_EQ(node_name("", "10.0.0.1"), "");
    EXPECT_EQ(node_name("", "fd00::1"), "");
    EXPECT_EQ(node_name("", ""), "");
}

}  // namespace cluster_map_test
}  // namespace vpnha::adapters
