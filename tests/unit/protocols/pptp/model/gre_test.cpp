// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/gre.hpp"

#include <gmock/gmock.h>

#include "protocols/pptp/model/control_message.hpp"
#include "protocols/pptp/model/limits.hpp"

namespace vpnha::pptp {
namespace gre_test {

Bytes packet_of(std::optional<std::uint32_t> sequence, std::optional<std::uint32_t> acknowledged,
                const Bytes& payload) {
    const auto header = encode_gre_header(CallId{7}, sequence, acknowledged, payload.size());
    Bytes packet(header.view().begin(), header.view().end());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

TEST(GreTest, PacketsHaveTheBytesOfTheRfc) {
    EXPECT_EQ(to_hex(packet_of(5, 6, {0xaa, 0xbb})), "3081880b000200070000000500000006aabb");
    EXPECT_EQ(to_hex(packet_of(5, std::nullopt, {0xaa})), "3001880b0001000700000005aa");
    EXPECT_EQ(to_hex(packet_of(std::nullopt, 6, {})), "2081880b0000000700000006");
    Bytes padded = packet_of(5, 6, {0xaa, 0xbb});
    padded.push_back(0);
    const auto parsed = parse_gre(padded);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->call, CallId{7});
    EXPECT_EQ(parsed->sequence, 5U);
    EXPECT_EQ(parsed->acknowledged, 6U);
    EXPECT_EQ(to_hex(parsed->payload), "aabb");
}

TEST(GreTest, OtherGreIsRefused) {
    const Bytes good = packet_of(5, 6, {0xaa});
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(parse_gre(ByteView(good).first(size))) << size;
    }
    for (const auto& [offset, mask] : std::vector<std::pair<std::size_t, int>>{{0, 0x80},
                                                                               {0, 0x40},
                                                                               {0, 0x20},
                                                                               {0, 0x08},
                                                                               {0, 0x01},
                                                                               {1, 0x08},
                                                                               {1, 0x01},
                                                                               {3, 0x01}}) {
        Bytes other = good;
        other[offset] = static_cast<std::uint8_t>(other[offset] ^ mask);
        EXPECT_FALSE(parse_gre(other)) << offset << " " << mask;
    }
}

TEST(GreTest, AWindowTakesEachNumberOnceInAnyOrder) {
    using Verdict = GreWindow::Verdict;
    GreWindow window(0xfffffffe);
    EXPECT_EQ(window.take(0xfffffffe), Verdict::seen);
    EXPECT_EQ(window.take(0xfffffff0), Verdict::seen);
    EXPECT_EQ(window.take(2), Verdict::taken);
    EXPECT_EQ(window.take(0xffffffff), Verdict::taken);
    EXPECT_EQ(window.take(1), Verdict::taken);
    EXPECT_EQ(window.take(0), Verdict::taken);
    EXPECT_EQ(window.take(0), Verdict::seen);
    EXPECT_EQ(window.take(2), Verdict::seen);
    EXPECT_EQ(window.last(), 2U);
    EXPECT_EQ(window.take(1000), Verdict::taken);
    EXPECT_EQ(window.take(936), Verdict::far);
    EXPECT_EQ(window.take(937), Verdict::taken);
}

// S4. One number far ahead made all others old.
TEST(GreTest, ANumberThatIsFarMovesAWindowOnlyWhenItIsProven) {
    using Verdict = GreWindow::Verdict;
    GreWindow window(100);
    EXPECT_EQ(window.take(100 + 65'537), Verdict::far);
    EXPECT_EQ(window.take(100 + 65'536), Verdict::taken) << "the first one";
    GreWindow later(100);
    EXPECT_EQ(later.take(101), Verdict::taken);
    EXPECT_EQ(later.take(101 + 2049), Verdict::far);
    EXPECT_EQ(later.take(0x8000'0000), Verdict::far);
    EXPECT_EQ(later.take(102), Verdict::taken);
    EXPECT_EQ(later.take(102 + 2048), Verdict::taken);
    later.prove(1'000'000);
    EXPECT_EQ(later.last(), 1'000'000U);
    later.prove(50);
    EXPECT_EQ(later.last(), 50U);
    EXPECT_EQ(later.take(51 + 2049), Verdict::far);
    EXPECT_EQ(later.take(51), Verdict::taken);
}

TEST(ControlMessageTest, AClientsMessagesHaveTheBytesOfTheRfc) {
    EXPECT_EQ(to_hex(build_start_request()),
              "009c00011a2b3c4d00010000010000000000000300000003"
              "00000000" +
                  std::string(256, '0'));
    EXPECT_EQ(to_hex(build_call_request(CallId{9})),
              "00a800011a2b3c4d0007000000090000000009603b9aca000000000300000003"
              "0040000000000000" +
                  std::string(256, '0'));
    EXPECT_EQ(to_hex(build_call_clear_request(CallId{9})), "001000011a2b3c4d000c000000090000");
    EXPECT_EQ(to_hex(build_stop_request()), "001000011a2b3c4d0003000001000000");
}

TEST(ControlMessageTest, MessagesHaveTheBytesOfTheRfc) {
    EXPECT_EQ(to_hex(build_echo_request(7)), "001000011a2b3c4d0005000000000007");
    EXPECT_EQ(to_hex(build_echo_reply(7)), "001400011a2b3c4d000600000000000701000000");
    EXPECT_EQ(to_hex(build_stop_reply()), "001000011a2b3c4d0004000001000000");
    EXPECT_EQ(to_hex(build_call_refusal(CallId{9})),
              "002000011a2b3c4d000800000000000907000000" + std::string(24, '0'));
    const Bytes notify = build_call_disconnect_notify(CallId{9});
    EXPECT_EQ(notify.size(), 148U);
    EXPECT_EQ(to_hex(ByteView(notify).first(20)),
              "009400011a2b3c4d000d0000000903000000"
              "0000");
}

TEST(ControlMessageTest, AStreamIsCutIntoMessages) {
    Bytes stream = build_echo_request(7);
    const Bytes second = build_echo_reply(8);
    stream.insert(stream.end(), second.begin(), second.end());
    std::size_t size = 0;
    const auto first = parse_control_message(stream, size);
    ASSERT_TRUE(first && *first);
    EXPECT_EQ(size, 16U);
    EXPECT_EQ(echo_id(**first), 7U);
    EXPECT_EQ(requested_call(**first), std::nullopt);
    for (std::size_t part = 0; part < second.size(); ++part) {
        const auto cut = parse_control_message(ByteView(second).first(part), size);
        ASSERT_TRUE(cut);
        EXPECT_FALSE(*cut);
    }
    for (const std::size_t wrong : {0U, 3U, 4U, 7U}) {
        Bytes other = second;
        other[wrong] ^= 0x40;
        EXPECT_FALSE(parse_control_message(other, size)) << wrong;
    }
}

// The class of CVE-2003-0213: a length below that of its own field became a negative one.
TEST(ControlMessageTest, RefusesLengthsThatLie) {
    const Bytes whole = build_echo_request(7);
    const auto with_length = [&](std::size_t length) {
        Bytes bytes = whole;
        bytes[0] = static_cast<std::uint8_t>(length >> 8);
        bytes[1] = static_cast<std::uint8_t>(length);
        bytes.resize(0x10000);
        std::size_t size = 0;
        const auto message = parse_control_message(bytes, size);
        EXPECT_EQ(size, message ? length : 0U) << length;
        return message.has_value();
    };
    for (std::size_t length = 0; length <= 0xffff; ++length) {
        EXPECT_EQ(with_length(length), 12 <= length && length <= limits::kPptpMessageBytesMax)
            << length;
    }
}

TEST(ControlMessageTest, CallIdsAreRead) {
    const Bytes refusal = build_call_refusal(CallId{9});
    std::size_t size = 0;
    const auto message = parse_control_message(refusal, size);
    ASSERT_TRUE(message && *message);
    const auto answer = call_answer(**message);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->peer_id, CallId{9});
    EXPECT_FALSE(answer->connected);
    Bytes connected = refusal;
    connected[13] = 5;
    connected[16] = 1;
    const auto up = parse_control_message(connected, size);
    EXPECT_TRUE(call_answer(**up)->connected);
    EXPECT_EQ(call_answer(**up)->id, CallId{5});
}

}  // namespace gre_test
}  // namespace vpnha::pptp
