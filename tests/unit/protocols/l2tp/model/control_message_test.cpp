// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/control_message.hpp"

#include <gmock/gmock.h>

#include "protocols/l2tp/model/limits.hpp"
#include "support/l2tp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::l2tp {
namespace control_message_test {

using test::L2tpPacket;
using ::testing::ElementsAre;

TEST(ControlMessageTest, WritesHelloZlbCdnAndStopccnAsOnTheWire) {
    const ControlHeader header{TunnelId{0x2222}, SessionId{0}, Seq16{4}, Seq16{2}};
    EXPECT_EQ(to_hex(encode_control(header, {})), "c802000c2222000000040002");
    EXPECT_EQ(to_hex(encode_control(header, encode_hello())),
              "c80200142222000000040002"
              "8008000000000006");
    EXPECT_EQ(to_hex(encode_cdn(CdnResult::administrative, SessionId{0x77})),
              "800800000000000e"
              "8008000000010003"
              "80080000000e0077");
    EXPECT_EQ(to_hex(encode_stopccn(TunnelId{0x1111})),
              "8008000000000004"
              "8008000000091111"
              "8008000000010001");
}

TEST(ControlMessageTest, WritesASccrqAsOnTheWire) {
    EXPECT_EQ(to_hex(encode_sccrq(TunnelId{0x1111}, "lac")),
              "8008000000000001"
              "8008000000020100"
              "800a0000000300000003"
              "8009000000076c6163"
              "8008000000091111"
              "80080000000a0004");
}

TEST(ControlMessageTest, ReadsACdnOfXl2tpd) {
    const Bytes bytes =
        L2tpPacket(MessageType::cdn).to(7, 9).numbers(3, 4).u16(1, 3).u16(14, 55).bytes();
    const Result<ControlMessage> message = parse_control(bytes);
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->header, (ControlHeader{TunnelId{7}, SessionId{9}, Seq16{3}, Seq16{4}}));
    EXPECT_EQ(message->type(), MessageType::cdn);
    EXPECT_EQ(message->u16(AvpType::result_code), 3);
    EXPECT_EQ(message->u16(AvpType::assigned_session_id), 55);
    EXPECT_FALSE(message->has_unknown_mandatory());
}

TEST(ControlMessageTest, AZlbHasNoAvpsAndPaddingIsIgnored) {
    Bytes bytes = L2tpPacket().to(7).numbers(3, 4).bytes();
    bytes.resize(bytes.size() + 8, 0xff);
    const Result<ControlMessage> message = parse_control(bytes);
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(message->is_zlb());
}

TEST(ControlMessageTest, RefusesHeadersThatAreNone) {
    const struct {
        const char* description;
        Bytes bytes;
    } cases[] = {
        {"nothing", {}},
        {"11 octets", Bytes{0xc8, 2, 0, 11, 0, 7, 0, 0, 0, 1, 0}},
        {"stated length 11", Bytes{0xc8, 2, 0, 11, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"stated length 13 of 12", Bytes{0xc8, 2, 0, 13, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"version 3", Bytes{0xc8, 3, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"version 1 (L2F)", Bytes{0xc8, 1, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"no length bit", Bytes{0x88, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"no sequence bit", Bytes{0xc0, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"offset bit", Bytes{0xca, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"priority bit", Bytes{0xc9, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"data packet", Bytes{0x48, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 1}},
        {"over the bound", Bytes(limits::kL2tpMessageBytesMax + 1, 0)},
    };
    for (const auto& c : cases) {
        const Result<ControlMessage> message = parse_control(c.bytes);
        ASSERT_FALSE(message.has_value()) << c.description;
        EXPECT_EQ(message.error().code, Errc::malformed) << c.description;
    }
}

TEST(ControlMessageTest, RefusesHostileAvps) {
    const struct {
        const char* description;
        Bytes avps;
    } cases[] = {
        {"length 0 (xl2tpd issue 93: no progress)", {0x80, 0, 0, 0, 0, 7}},
        {"length 5", {0x80, 5, 0, 0, 0, 7}},
        {"longer than the message", {0x80, 9, 0, 0, 0, 7, 1, 2}},
        {"the largest length", {0x83, 0xff, 0, 0, 0, 7}},
        {"half a header", {0x80, 6, 0}},
    };
    for (const auto& c : cases) {
        const Bytes bytes = L2tpPacket(MessageType::hello).to(7).raw(c.avps).bytes();
        EXPECT_FALSE(parse_control(bytes).has_value()) << c.description;
    }
}

TEST(ControlMessageTest, RefusesMoreAvpsThanItsBound) {
    L2tpPacket packet(MessageType::hello);
    for (std::size_t n = 1; n < limits::kL2tpAvpsMax; ++n) {
        packet.avp({.type = 7});
    }
    EXPECT_TRUE(parse_control(packet.bytes()).has_value());
    EXPECT_FALSE(parse_control(packet.avp({.type = 7}).bytes()).has_value());
}

TEST(ControlMessageTest, WantsTheMessageTypeFirst) {
    const Bytes two{0, 6};
    const Bytes three{0, 6, 0};
    const struct {
        const char* description;
        Avp first;
    } cases[] = {
        {"another AVP", {.type = 1, .value = two}},
        {"a vendor's AVP of type 0 (xl2tpd issue 163)", {.vendor = 9, .type = 0, .value = two}},
        {"hidden", {.hidden = true, .type = 0, .value = two}},
        {"reserved bit", {.reserved = true, .type = 0, .value = two}},
        {"no value", {.type = 0}},
        {"three octets", {.type = 0, .value = three}},
    };
    for (const auto& c : cases) {
        const Bytes bytes = L2tpPacket().avp(c.first).u16(0, 6).bytes();
        EXPECT_FALSE(parse_control(bytes).has_value()) << c.description;
    }
}

TEST(ControlMessageTest, NeverReadsAHiddenOrForeignValue) {
    const Bytes value{0, 3};
    for (const Avp& avp : {Avp{.hidden = true, .type = 1, .value = value},
                           Avp{.reserved = true, .type = 1, .value = value},
                           Avp{.vendor = 311, .type = 1, .value = value},
                           Avp{.type = 1, .value = ByteView(value).first(1)}}) {
        const Bytes bytes = L2tpPacket(MessageType::cdn).avp(avp).bytes();
        const Result<ControlMessage> message = parse_control(bytes);
        ASSERT_TRUE(message.has_value());
        EXPECT_FALSE(message->u16(AvpType::result_code).has_value());
    }
}

TEST(ControlMessageTest, KnowsWhatMustBeUnderstood) {
    const struct {
        const char* description;
        Avp avp;
        bool unknown;
    } cases[] = {
        {"host name", {.type = 7}, false},
        {"the last of RFC 2661", {.type = 39}, false},
        {"type 20, unassigned", {.type = 20}, true},
        {"type 40", {.type = 40}, true},
        {"type 40, optional", {.mandatory = false, .type = 40}, false},
        {"a vendor's", {.vendor = 9, .type = 7}, true},
        {"a vendor's, optional", {.mandatory = false, .vendor = 9, .type = 7}, false},
        {"known, with a reserved bit", {.reserved = true, .type = 7}, true},
        {"known, hidden", {.hidden = true, .type = 7}, false},
    };
    for (const auto& c : cases) {
        const Bytes bytes = L2tpPacket(MessageType::hello).avp(c.avp).bytes();
        const Result<ControlMessage> message = parse_control(bytes);
        ASSERT_TRUE(message.has_value()) << c.description;
        EXPECT_EQ(message->has_unknown_mandatory(), c.unknown) << c.description;
    }
}

TEST(ControlMessageTest, DistinguishesDataFromControl) {
    EXPECT_TRUE(is_data(Bytes{0x00, 0x02, 0, 7, 0, 9}));
    EXPECT_TRUE(is_data(Bytes{0x40, 0x02}));
    EXPECT_FALSE(is_data(Bytes{0xc8, 0x02}));
    EXPECT_FALSE(is_data(Bytes{0x00}));
    EXPECT_FALSE(is_data({}));
}

TEST(ControlMessageTest, ReadsAsItWasWritten) {
    test::Random random(2661);
    for (int n = 0; n < 2000; ++n) {
        const std::uint16_t type = random.u16();
        std::vector<Bytes> values;
        L2tpPacket packet(static_cast<MessageType>(type));
        packet.to(random.u16(), random.u16()).numbers(random.u16(), random.u16());
        for (std::uint64_t count = random.below(5); count != 0; --count) {
            packet.avp({.mandatory = random.chance(50),
                        .vendor = random.u16(),
                        .type = random.u16(),
                        .value = values.emplace_back(random.bytes(60))});
        }
        const Bytes bytes = packet.bytes();
        const Result<ControlMessage> message = parse_control(bytes);
        ASSERT_TRUE(message.has_value());
        EXPECT_EQ(message->type(), static_cast<MessageType>(type));
        ASSERT_EQ(message->avps.size(), values.size() + 1);
        ByteWriter again;
        for (const Avp& avp : message->avps) {
            write_avp(again, avp);
        }
        EXPECT_EQ(encode_control(message->header, again.view()), bytes);
    }
}

TEST(ControlMessageTest, NamesTypes) {
    EXPECT_EQ(to_string(MessageType::stopccn), "StopCCN");
    EXPECT_EQ(to_string(static_cast<MessageType>(99)), "message type 99");
}

}  // namespace control_message_test
}  // namespace vpnha::l2tp
