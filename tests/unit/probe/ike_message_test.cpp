// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ike_message.hpp"

#include <gmock/gmock.h>

namespace vpnha::probe {
namespace ike_message_test {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr IkeHeader kHeader{.initiator = 1,
                            .responder = 2,
                            .version = kIkev2Version,
                            .exchange = 34,
                            .flags = 0x20,
                            .message_id = 3};

TEST(IkeMessageTest, ReadsWhatItWrites) {
    const Bytes first{1, 2, 3};
    const Bytes octets = encode_ike_message(kHeader, {{33, first}, {40, {}}});
    EXPECT_EQ(to_hex(octets),
              "0000000000000001000000000000000221202220000000030000002728000007010203"
              "00000004");
    const auto message = parse_ike_message(octets);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->header.responder, 2U);
    EXPECT_EQ(message->header.message_id, 3U);
    ASSERT_THAT(message->payloads, SizeIs(2));
    EXPECT_EQ(to_hex(message->payloads[0].body), "010203");
    EXPECT_EQ(message->payloads[1].type, 40);
}

TEST(IkeMessageTest, RefusesLengthsThatAreNotTrue) {
    const Bytes body{1, 2, 3};
    const Bytes whole = encode_ike_message(kHeader, {{33, body}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse_ike_message(ByteView(whole).first(size))) << size;
    }
    constexpr std::size_t kPayloadLength = 31;
    for (const int length : {0, 3, 8}) {
        Bytes other = whole;
        other[kPayloadLength] = static_cast<std::uint8_t>(length);
        EXPECT_FALSE(parse_ike_message(other)) << length;
    }
    constexpr std::size_t kLength = 27;
    Bytes short_of_its_header = whole;
    short_of_its_header[kLength] = 27;
    EXPECT_FALSE(parse_ike_message(short_of_its_header));
}

TEST(IkeMessageTest, RefusesAChainWithoutAnEnd) {
    EXPECT_TRUE(parse_ike_message(encode_ike_message(kHeader, std::vector<IkePayload>(64, {41}))));
    EXPECT_FALSE(parse_ike_message(encode_ike_message(kHeader, std::vector<IkePayload>(65, {41}))));
}

TEST(IkeMessageTest, WhatIsEncryptedIsNotRead) {
    const Bytes junk{0xff, 0xff};
    const auto second = parse_ike_message(encode_ike_message(kHeader, {{46, junk}}));
    ASSERT_TRUE(second);
    EXPECT_THAT(second->payloads, IsEmpty());
    IkeHeader header = kHeader;
    header.version = kIkev1Version;
    header.flags = 1;
    const auto first = parse_ike_message(encode_ike_message(header, {{8, junk}}));
    ASSERT_TRUE(first);
    EXPECT_THAT(first->payloads, IsEmpty());
}

TEST(IkeMessageTest, ReadsNotifiesOfBothVersions) {
    const Bytes of_second{0, 0, 0, 14, 9};
    const auto second = parse_ike_notify(of_second, kIkev2Version);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->type, kNoProposalChosen);
    EXPECT_EQ(to_hex(second->data), "09");
    const Bytes of_first{0, 0, 0, 1, 1, 2, 0, 14, 7, 7, 9};
    const auto first = parse_ike_notify(of_first, kIkev1Version);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, kNoProposalChosen);
    EXPECT_EQ(to_hex(first->data), "09");
    EXPECT_FALSE(parse_ike_notify(Bytes{0, 4, 0, 14, 9}, kIkev2Version));
    EXPECT_FALSE(parse_ike_notify(Bytes{}, kIkev1Version));
    EXPECT_EQ(ike_notify_name(kNoProposalChosen), "NO_PROPOSAL_CHOSEN");
    EXPECT_EQ(ike_notify_name(99), "notify 99");
}

}  // namespace ike_message_test
}  // namespace vpnha::probe
