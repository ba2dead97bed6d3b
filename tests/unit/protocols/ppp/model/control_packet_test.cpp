// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/control_packet.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "support/random.hpp"

namespace vpnha::ppp {
namespace control_packet_test {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

TEST(ControlPacketTest, IgnoresPaddingBehindTheStatedLength) {
    const Bytes bytes{9, 7, 0, 6, 0xaa, 0xbb, 0x00, 0x00, 0x00};
    const Result<ControlPacket> packet = parse_control_packet(bytes);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->code, Code::echo_request);
    EXPECT_EQ(packet->id, 7);
    EXPECT_THAT(packet->data, ElementsAre(0xaa, 0xbb));
}

TEST(ControlPacketTest, RefusesLengthsThatLie) {
    const struct {
        const char* description;
        Bytes bytes;
    } cases[] = {
        {"nothing", {}},
        {"less than a header", {9, 1, 0}},
        {"length 0", {9, 1, 0, 0}},
        {"length below the header", {9, 1, 0, 3, 0}},
        {"one octet more than there is", {9, 1, 0, 6, 0}},
        {"the largest length", {9, 1, 0xff, 0xff, 0}},
        {"a frame over the bound", Bytes(limits::kPppFrameBytesMax + 1, 4)},
    };
    for (const auto& c : cases) {
        const Result<ControlPacket> packet = parse_control_packet(c.bytes);
        ASSERT_FALSE(packet.has_value()) << c.description;
        EXPECT_EQ(packet.error().code, Errc::malformed) << c.description;
    }
}

TEST(ControlPacketTest, ReadsAsItWasWritten) {
    test::Random random(1661);
    for (int n = 0; n < 1000; ++n) {
        const Bytes data = random.bytes(100);
        const ControlPacket packet{.code = static_cast<Code>(random.below(256)),
                                   .id = static_cast<std::uint8_t>(random.below(256)),
                                   .data = data};
        const Bytes frame = encode_control_frame(Protocol::lcp, packet);
        ByteReader reader(frame);
        ASSERT_EQ(reader.u16(), 0xc021);
        const Result<ControlPacket> parsed = parse_control_packet(reader.rest());
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->code, packet.code);
        EXPECT_EQ(parsed->id, packet.id);
        EXPECT_THAT(parsed->data, ElementsAreArray(data));
    }
}

}  // namespace control_packet_test
}  // namespace vpnha::ppp
