// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/ha_message.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::ipsec {
namespace ha_message_test {

using ::testing::HasSubstr;

const test::IkeSample kSample{{{2, 0x0102030405060708, 0x1112131415161718}, true}};

TEST(HaMessageTest, HasTheOctetsOfCharon) {
    EXPECT_EQ(to_hex(build_mid(HaType::ike_mid_responder, kSample.id, 5)),
              "0304"
              "01020102030405060708111213141516171801"
              "2100000005");
    EXPECT_EQ(to_hex(build_ike_delete(kSample.id)), "030501020102030405060708111213141516171801");
    EXPECT_EQ(to_hex(build_iv(kSample.id, Bytes{0xaa, 0xbb})),
              "030c"
              "01020102030405060708111213141516171801"
              "280002aabb");
    const HaHost vip{parse_ip("10.1.0.7").value_or(IpAddress{}), 0};
    EXPECT_EQ(build_vips(kSample.id, std::vector<Bytes>{build_host(vip)}), kSample.vip("10.1.0.7"));
    EXPECT_EQ(to_hex(kSample.vip("10.1.0.7")),
              "0302"
              "01020102030405060708111213141516171801"
              "0c0000020a010007");
    // charon turns the octets of an SPI round.
    EXPECT_EQ(to_hex(build_child_delete(kSample.id, 0xc1c2c3c4)),
              "0307"
              "01020102030405060708111213141516171801"
              "1bc4c3c2c1");
}

TEST(HaMessageTest, ReadsWhatCharonReportsOfAChild) {
    const Bytes octets = kSample.child(0xc0000001, 0xd0000002);
    const auto message = parse_ha_message(octets);
    ASSERT_TRUE(message) << message.error().detail;
    EXPECT_EQ(message->type, HaType::child_add);
    EXPECT_EQ(message->ike_id(), kSample.id);
    EXPECT_EQ(message->spi(HaTag::inbound_spi), 0xc0000001);
    EXPECT_EQ(message->spi(HaTag::outbound_spi), 0xd0000002);
    EXPECT_EQ(message->text(HaTag::config_name), "net");
    EXPECT_EQ(message->find(HaTag::psk), std::nullopt);
    EXPECT_EQ(build_ha_message(message->type, message->attributes), octets);
}

TEST(HaMessageTest, ReadsWhatItReportsOfAnEstablishment) {
    const Bytes octets = kSample.update();
    const auto message = parse_ha_message(octets);
    ASSERT_TRUE(message);
    EXPECT_EQ(parse_host(*message->find(HaTag::remote_address)),
              (HaHost{parse_ip("198.51.100.7").value_or(IpAddress{}), 4500}));
    EXPECT_EQ(identity_text(*message->find(HaTag::remote_id)), "carol@example.org");
    EXPECT_EQ(identity_text(Bytes{1, 4, 10, 0, 0, 7}), "10.0.0.7");
    EXPECT_EQ(identity_text(Bytes{2, 2, 'a', 7}), "2:6107") << "not every name can be printed";
    EXPECT_EQ(identity_text(Bytes{9, 2, 0x30, 0}), "9:3000");
    EXPECT_EQ(identity_text({}), "");
    EXPECT_EQ(identity_name(Bytes{2, 3, 'a', ' ', 'b'}), "a b");
    EXPECT_EQ(identity_name(Bytes{1, 4, 10, 0, 0, 7}), "10.0.0.7");
    EXPECT_EQ(identity_name({}), "");
}

TEST(HaMessageTest, ASealedSecretIsLongerAndNothingElse) {
    const Bytes octets = kSample.add();
    auto message = parse_ha_message(octets);
    ASSERT_TRUE(message);
    const Bytes sealed(300, 0x5a);
    std::size_t secrets = 0;
    for (Attribute& each : message->attributes) {
        if (is_secret(each.tag)) {
            each.value = sealed;
            ++secrets;
        }
    }
    EXPECT_EQ(secrets, 3U) << "two nonces and what the key exchange came to";
    const Bytes longer = build_ha_message(message->type, message->attributes);
    EXPECT_EQ(longer.size(), octets.size() + 3 * 300 - 7);
    const auto parsed = parse_ha_message(longer);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->attributes, message->attributes);
    EXPECT_FALSE(is_secret(HaTag::iv)) << "it stands in clear in front of the packet";
    EXPECT_TRUE(is_secret(HaTag::psk));
}

TEST(HaMessageTest, AnotherVersionIsRefusedInWords) {
    Bytes octets = kSample.add();
    octets[0] = 5;
    const auto message = parse_ha_message(octets);
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, Errc::unsupported);
    EXPECT_EQ(message.error().detail, "an HA message of version 5 in a record");
}

TEST(HaMessageTest, WhatCannotBeReadIsRefused) {
    const Bytes whole = kSample.child(1, 2);
    std::size_t parsed = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        parsed += parse_ha_message(ByteView(whole).first(size)) ? 1 : 0;
    }
    EXPECT_EQ(parsed, parse_ha_message(whole)->attributes.size()) << "cut between attributes";

    EXPECT_EQ(parse_ha_message(Bytes{3, 13}).error().code, Errc::unsupported);
    EXPECT_EQ(parse_ha_message(Bytes{3, 0}).error().code, Errc::unsupported);
    EXPECT_THAT(parse_ha_message(Bytes{3, 1, 44, 0}).error().detail, HasSubstr("attribute 44"));
    EXPECT_EQ(parse_ha_message(Bytes{3, 2, 6, 0, 0, 3, 1, 1, 1, 1}).error().code, Errc::malformed)
        << "an address of an unknown family";
    EXPECT_EQ(parse_ha_message(Bytes{3, 2, 8, 'n', 'o', ' ', 'e', 'n', 'd'}).error().code,
              Errc::malformed);
    EXPECT_EQ(parse_ha_message(Bytes(limits::kHaMessageBytesMax + 1, 3)).error().code, Errc::limit);

    const Bytes other = build_ike_delete({{3, 1, 2}, false});
    EXPECT_EQ(parse_ha_message(other)->ike_id(), std::nullopt) << "there is no IKEv3";
}

}  // namespace ha_message_test
}  // namespace vpnha::ipsec
