// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/key_text.hpp"

#include <gmock/gmock.h>

#include "support/sample_peer.hpp"

namespace vpnha::wireguard {
namespace key_text_test {

// By base64(1).
constexpr std::string_view kText = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHAAAAAE=";

TEST(KeyTextTest, AKeyIsTheTextThatWgWrites) {
    PublicKey key;
    ASSERT_TRUE(parse_key_text(kText, key.octets));
    EXPECT_EQ(key, test::sample_key(1));
    EXPECT_EQ(to_string(key), kText);
}

TEST(KeyTextTest, EachKeyHasOneText) {
    for (std::uint32_t number = 0; number < 300; ++number) {
        const PublicKey key = test::sample_key(number * 0x01010107U);
        PublicKey back;
        ASSERT_TRUE(parse_key_text(to_string(key), back.octets));
        EXPECT_EQ(back, key);
    }
}

TEST(KeyTextTest, WhatIsNoKeyLeavesNothing) {
    const std::string text(kText);
    for (const std::string& wrong :
         {std::string(), text.substr(1), text + "=", text.substr(0, 43) + "A",
          text.substr(0, 42) + "F=",  // Two bits of the last digit are of no octet.
          "*" + text.substr(1), text.substr(0, 42) + "==", std::string(44, '=')}) {
        PublicKey key = test::sample_key();
        EXPECT_FALSE(parse_key_text(wrong, key.octets)) << wrong;
        EXPECT_EQ(key, PublicKey{}) << wrong;
    }
}

}  // namespace key_text_test
}  // namespace vpnha::wireguard
