// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/probe_socket.hpp"

#include <gtest/gtest.h>

#include "protocols/pptp/backend/observed_packet.hpp"
#include "support/sample_call.hpp"

namespace vpnha::adapters {
namespace probe_socket_test {

constexpr pptp::ProbeSegment kSegment{
    .sequence = 0xfffffff0, .acknowledgement = 0x01020304, .tsval = 77, .tsecr = 88};

TEST(ProbeSocketTest, AProbeIsAnAcknowledgementWithTheConnectionsEnds) {
    const pptp::CallKey key = pptp::test::sample_call().key;
    const Bytes packet = encode_probe(key, true, kSegment);
    const auto observed = parse_observed(packet);
    ASSERT_TRUE(observed);
    const auto* const segment = std::get_if<ObservedSegment>(&*observed);
    ASSERT_NE(segment, nullptr);
    EXPECT_EQ(segment->from, key.local);
    EXPECT_EQ(segment->to, key.peer);
    EXPECT_EQ(segment->seq, kSegment.sequence);
    EXPECT_EQ(segment->ack, kSegment.acknowledgement);
    EXPECT_EQ(segment->flags, ObservedSegment::kAck);
    EXPECT_EQ(segment->tsval, kSegment.tsval);
    EXPECT_EQ(segment->tsecr, kSegment.tsecr);
    EXPECT_EQ(segment->end, segment->seq);
}

TEST(ProbeSocketTest, WithoutTimestampsItHasNone) {
    const Bytes packet = encode_probe(pptp::test::sample_call().key, false, kSegment);
    EXPECT_EQ(packet.size(), 40U);
    const auto observed = parse_observed(packet);
    ASSERT_TRUE(observed);
    EXPECT_FALSE(std::get<ObservedSegment>(*observed).tsval);
}

TEST(ProbeSocketTest, TheSumOverSegmentAndPseudoHeaderIsRight) {
    for (const bool timestamps : {false, true}) {
        const Bytes packet = encode_probe(pptp::test::sample_call().key, timestamps, kSegment);
        const auto tcp_size = static_cast<std::uint32_t>(packet.size() - 20);
        std::uint32_t sum = 6 + tcp_size;  // RFC 9293 3.1
        for (ByteReader reader(ByteView(packet).subspan(12)); reader.remaining() != 0;) {
            sum += reader.u16();
        }
        sum = (sum & 0xffff) + (sum >> 16);
        EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffU);
    }
}

}  // namespace probe_socket_test
}  // namespace vpnha::adapters
