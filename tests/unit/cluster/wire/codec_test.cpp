// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/wire/codec.hpp"

#include <gtest/gtest.h>

#include "support/wire_v2.hpp"

namespace vpnha::wire {
namespace codec_test {

const Message kClaim = Claim{GatewayId{1}, Epoch{7, NodeId{2}}, 5, 6};

TEST(CodecTest, TwoNodesSpeakTheHighestVersionThatBothKnow) {
    const Dialects old;
    const Dialects next(next_codecs());
    EXPECT_EQ(next.version_min(), 1);
    EXPECT_EQ(next.version_max(), 2);
    EXPECT_EQ(old.common(next.version_min(), next.version_max()), 1);
    EXPECT_EQ(next.common(old.version_min(), old.version_max()), 1);
    EXPECT_EQ(next.common(1, 9), 2);
}

TEST(CodecTest, NodesTwoReleasesApartShareNone) {
    const Dialects old;
    const Dialects distant(distant_codecs());
    EXPECT_EQ(old.common(distant.version_min(), distant.version_max()), std::nullopt);
    EXPECT_EQ(distant.common(old.version_min(), old.version_max()), std::nullopt);
}

TEST(CodecTest, EachVersionIsReadByWhoeverKnowsIt) {
    const Dialects old;
    const Dialects next(next_codecs());
    EXPECT_EQ(old.parse(next.encode(kClaim, 1)).value_or(Extension{}), kClaim);
    EXPECT_EQ(next.parse(next.encode(kClaim, 2)).value_or(Extension{}), kClaim);
    EXPECT_NE(next.encode(kClaim, 1), next.encode(kClaim, 2));
}

TEST(CodecTest, OnesOwnMessageIsReadWithoutItsRecords) {
    const Dialects dialects(next_codecs());
    const wire::Update update{GatewayId{3}, Epoch{2, NodeId{1}}, 7, {{RecordKey{}, false, {1, 2}}}};
    wire::Update head = update;
    head.changes.clear();
    for (const std::uint8_t version : {std::uint8_t{1}, std::uint8_t{2}}) {
        const Bytes bytes = dialects.encode(update, version);
        EXPECT_EQ(std::get<wire::Update>(*dialects.parse(bytes)), update);
        EXPECT_EQ(std::get<wire::Update>(*dialects.parse_own(bytes)), head);
    }
    const wire::Digest digest{GatewayId{3}, Epoch{2, NodeId{1}}, 7, 1, 99};
    EXPECT_EQ(std::get<wire::Digest>(*dialects.parse_own(dialects.encode(digest, 1))), digest);
    Bytes broken = dialects.encode(update, 1);
    broken.back() ^= 1;
    EXPECT_FALSE(dialects.parse_own(broken));
}

TEST(CodecTest, AnUnknownVersionIsUnsupportedNotMalformed) {
    const Result<Message> parsed = Dialects().parse(Dialects(next_codecs()).encode(kClaim, 2));
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::unsupported);
    EXPECT_EQ(parsed.error().detail, "wire version 2; this node speaks 1 to 1");
}

}  // namespace codec_test
}  // namespace vpnha::wire
