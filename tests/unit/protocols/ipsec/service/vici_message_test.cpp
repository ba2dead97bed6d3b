// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/vici_message.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"

namespace vpnha::adapters {
namespace vici_message_test {

using testing::ElementsAre;
using testing::IsEmpty;

// The example of the protocol's own document.
const Bytes kExample = {
    3, 4,  'k', 'e', 'y', '1', 0,   6,   'v', 'a', 'l', 'u', 'e', '1',     // key1 = value1
    1, 8,  's', 'e', 'c', 't', 'i', 'o', 'n', '1',                         // section1 = {
    1, 11, 's', 'u', 'b', '-', 's', 'e', 'c', 't', 'i', 'o', 'n',          // sub-section = {
    3, 4,  'k', 'e', 'y', '2', 0,   6,   'v', 'a', 'l', 'u', 'e', '2', 2,  // key2 = value2 }
    4, 5,  'l', 'i', 's', 't', '1',                                        // list1 = [
    5, 0,  5,   'i', 't', 'e', 'm', '1', 5,   0,   5,   'i', 't', 'e', 'm', '2', 6,  // two ]
    2};                                                                              // }

Bytes response(const Bytes& message) {
    return std::move(ByteWriter().u8(1).bytes(message)).take();
}

TEST(ViciMessageTest, ReadsTheExampleOfItsDocument) {
    const auto packet = parse_vici_packet(response(kExample));
    ASSERT_TRUE(packet.has_value()) << packet.error().detail;
    EXPECT_EQ(packet->type, ViciPacketType::response);
    EXPECT_EQ(packet->message.value("key1"), "value1");
    ASSERT_EQ(packet->message.sections.size(), 1U);
    const auto& [name, section] = packet->message.sections[0];
    EXPECT_EQ(name, "section1");
    EXPECT_THAT(section.list("list1"), ElementsAre("item1", "item2"));
    ASSERT_EQ(section.sections.size(), 1U);
    EXPECT_EQ(section.sections[0].second.value("key2"), "value2");
    EXPECT_EQ(section.value("none"), "");
    EXPECT_THAT(section.list("none"), IsEmpty());
}

TEST(ViciMessageTest, ACommandHasItsNameBeforeItsArguments) {
    const Bytes packet = encode_vici_packet({.type = ViciPacketType::command,
                                             .name = "rekey",
                                             .message = {.values = {{"child", "west"}}}});
    EXPECT_THAT(packet, ElementsAre(0, 5, 'r', 'e', 'k', 'e', 'y', 3, 5, 'c', 'h', 'i', 'l', 'd', 0,
                                    4, 'w', 'e', 's', 't'));
}

TEST(ViciMessageTest, IsReadBackAsItWasWritten) {
    const ViciSection inner{.lists = {{"empty", {}}, {"two", {"a", ""}}}};
    const ViciPacket packet{.type = ViciPacketType::event,
                            .name = "list-sa",
                            .message = {.values = {{"version", "1"}}, .sections = {{"sa", inner}}}};
    const auto read = parse_vici_packet(encode_vici_packet(packet));
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    EXPECT_EQ(*read, packet);
}

TEST(ViciMessageTest, RefusesEveryTruncation) {
    const Bytes whole = response(kExample);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto packet = parse_vici_packet(ByteView(whole).first(size));
        // Between two elements of the outermost level a shorter message is one as well.
        EXPECT_EQ(packet.has_value(), size == 1 || size == 1 + 14) << size;
    }
}

TEST(ViciMessageTest, RefusesWhatNestsWrongly) {
    for (const Bytes& message : {Bytes{2},                              // An end of nothing.
                                 Bytes{5, 0, 0},                        // An item of no list.
                                 Bytes{4, 1, 'l', 3, 1, 'k', 0, 0, 6},  // A value in a list.
                                 Bytes{4, 1, 'l', 4, 1, 'm', 6, 6},     // A list in a list.
                                 Bytes{4, 1, 'l', 2}, Bytes{7}, Bytes{0}}) {
        EXPECT_FALSE(parse_vici_packet(response(message)).has_value());
    }
    EXPECT_FALSE(parse_vici_packet(Bytes{4}).has_value()) << "an end of a subscription";
}

TEST(ViciMessageTest, NestsSoDeepAndNoDeeper) {
    const auto nested = [](std::size_t depth) {
        Bytes message;
        for (std::size_t level = 0; level < depth; ++level) {
            message.insert(message.end(), {1, 1, 's'});
        }
        message.insert(message.end(), depth, 2);
        return response(message);
    };
    EXPECT_TRUE(parse_vici_packet(nested(limits::kViciDepthMax)).has_value());
    EXPECT_FALSE(parse_vici_packet(nested(limits::kViciDepthMax + 1)).has_value());
    EXPECT_FALSE(parse_vici_packet(nested(100'000)).has_value());
}

TEST(ViciMessageTest, RefusesAPacketThatIsTooLarge) {
    const auto packet = parse_vici_packet(Bytes(limits::kViciPacketBytesMax + 1, 1));
    ASSERT_FALSE(packet.has_value());
    EXPECT_EQ(packet.error().code, Errc::limit);
}

}  // namespace vici_message_test
}  // namespace vpnha::adapters
