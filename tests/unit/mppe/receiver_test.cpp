// SPDX-License-Identifier: GPL-2.0-or-later
#include "mppe/receiver.hpp"

#include <gmock/gmock.h>

#include "unit/mppe/linux_peer.hpp"

namespace vpnha::mppe {
namespace receiver_test {

using test::ip_packet;
using test::kStartKey;
using test::LinuxReceiver;
using test::seal;

class ReceiverTest : public ::testing::Test {
  protected:
    // The number of the packet that was opened; nullopt: it was not.
    std::optional<std::uint32_t> open(const Bytes& frame) {
        Bytes out(frame.size());
        const auto packet = receiver_.open(frame, out.data());
        if (!packet) {
            return std::nullopt;
        }
        return ByteReader(packet->subspan(20)).u32();
    }
    Bytes packet() { return seal(sender_, ip_packet(static_cast<std::uint32_t>(sender_.index()))); }
    Bytes packet_at(std::uint64_t index) {
        sender_.skip_to(index);
        return packet();
    }

    KeyChain chain_{Strength::bits128, kStartKey};
    ReceiverCounters counters_;
    Sender sender_{chain_};
    Receiver receiver_{chain_, counters_};
};

TEST_F(ReceiverTest, OpensWhatASenderSealedForThousandsOfPackets) {
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        ASSERT_EQ(open(packet()), i);
    }
    EXPECT_EQ(receiver_.index(), 10'000U);
    EXPECT_EQ(counters_.undecipherable + counters_.outdated, 0U);
}

TEST_F(ReceiverTest, APacketSaysItsIndexAndThatItIsStateless) {
    const Bytes first = packet();
    EXPECT_EQ(to_hex(ByteView(first).first(2)), "9000");
    EXPECT_EQ(to_hex(ByteView(packet_at(4096 + 0x123)).first(2)), "9123");
    EXPECT_EQ(sender_.index(), 4096U + 0x124);
    sender_.skip_to(7);
    EXPECT_EQ(sender_.index(), 4096U + 0x124);
}

TEST_F(ReceiverTest, GapsAreJumpedOverUpToHalfATurn) {
    EXPECT_EQ(open(packet_at(2047)), 2047U);
    EXPECT_EQ(open(packet_at(2048 + 2047)), 4095U);
    EXPECT_EQ(open(packet_at(4096 + 2048)), std::nullopt);
    EXPECT_EQ(counters_.outdated, 1U);
    EXPECT_EQ(receiver_.index(), 4096U);
}

TEST_F(ReceiverTest, LatePacketsAreOpenedOnceAsLongAsTheirKeysAreKept) {
    std::vector<Bytes> frames;
    for (int i = 0; i < 100; ++i) {
        frames.push_back(packet());
    }
    EXPECT_EQ(open(frames[0]), 0U);
    EXPECT_EQ(open(frames[20]), 20U);
    EXPECT_EQ(open(frames[5]), 5U);
    EXPECT_EQ(open(frames[5]), std::nullopt);
    EXPECT_EQ(open(frames[20]), std::nullopt);
    EXPECT_EQ(open(frames[83]), 83U);
    EXPECT_EQ(open(frames[84]), 84U);
    EXPECT_EQ(open(frames[21]), 21U);
    EXPECT_EQ(open(frames[20]), std::nullopt);
    EXPECT_EQ(open(frames[6]), std::nullopt);  // 79 back.
    EXPECT_EQ(open(frames[99]), 99U);
    EXPECT_EQ(open(frames[36]), 36U);
    EXPECT_EQ(open(frames[35]), std::nullopt);
    EXPECT_EQ(counters_.late, 3U);
    EXPECT_EQ(counters_.undecipherable, 0U);
}

TEST_F(ReceiverTest, AForgedPacketChangesNothing) {
    EXPECT_EQ(open(packet()), 0U);
    Bytes forged = packet_at(500);
    forged[10] ^= 1;
    EXPECT_EQ(open(forged), std::nullopt);
    EXPECT_EQ(receiver_.index(), 1U);
    EXPECT_EQ(counters_.undecipherable, 1U);
    EXPECT_EQ(open(packet_at(501)), 501U);
}

TEST_F(ReceiverTest, WhatIsNoStatelessMppeIsMalformed) {
    for (const Bytes& each :
         {Bytes{}, Bytes{0x90}, Bytes{0x10, 0, 1}, Bytes{0x80, 0, 1}, Bytes{0xb0, 0, 1}}) {
        EXPECT_EQ(open(each), std::nullopt);
    }
    EXPECT_EQ(counters_.malformed, 5U);
}

TEST_F(ReceiverTest, TheFirstPacketAfterOldNumbersIsFoundFarAhead) {
    for (const std::uint64_t lag : {0, 1, 608, 3000, 4096, 40'000, 65'000}) {
        Sender sender(chain_);
        Receiver receiver(chain_, counters_);
        receiver.skip_to(1000);
        while (!receiver.catch_up(64)) {
        }
        sender.skip_to(1000 + lag);
        const Bytes frame = seal(sender, ip_packet(7));
        Bytes out(frame.size());
        EXPECT_TRUE(receiver.open(frame, out.data())) << lag;
        EXPECT_EQ(receiver.index(), 1001 + lag);
    }
}

TEST_F(ReceiverTest, AFloodOfForgedFirstPacketsIsNotLookedForEachTime) {
    receiver_.skip_to(10);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(open(Bytes{0x90, 0x20, 1, 2, 3}), std::nullopt);
    }
    EXPECT_EQ(open(packet_at(10 + 4096)), std::nullopt);
    EXPECT_EQ(open(packet_at(8192 + 10)), std::nullopt);
    EXPECT_EQ(receiver_.index(), 10U);
}

TEST_F(ReceiverTest, FinalNumbersAreNotLookedBeyond) {
    receiver_.skip_to(10);
    receiver_.settle();
    EXPECT_EQ(open(packet_at(10 + 4096)), std::nullopt);
}

TEST_F(ReceiverTest, ALinuxPeerFollowsJumpsOfLessThanHalfATurn) {
    for (const Strength strength : {Strength::bits40, Strength::bits56, Strength::bits128}) {
        Sender sender{KeyChain(strength, kStartKey)};
        LinuxReceiver peer(strength);
        EXPECT_TRUE(peer.open(seal(sender, ip_packet(1))));
        sender.skip_to(sender.index() + kJumpMax);
        EXPECT_TRUE(peer.open(seal(sender, ip_packet(2))));
        sender.skip_to(sender.index() + kJumpMax + 1);
        EXPECT_FALSE(peer.open(seal(sender, ip_packet(3))));
    }
}

TEST_F(ReceiverTest, PacketsOfBothFamiliesAreKnownByTheirHeaders) {
    Bytes v6{0x00, 0x57, 0x60, 0, 0, 0, 0, 4};
    v6.resize(2 + 40 + 6);
    const auto packet = inner_packet(v6);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->size(), 44U);  // The rest is padding.
    v6.resize(2 + 43);
    EXPECT_FALSE(inner_packet(v6));
    Bytes short_protocol = test::with_protocol(ip_packet(1));
    short_protocol.erase(short_protocol.begin());
    EXPECT_TRUE(inner_packet(short_protocol));
    short_protocol[5] ^= 1;
    EXPECT_FALSE(inner_packet(short_protocol));
    EXPECT_FALSE(inner_packet(Bytes{0x21, 0x45}));
    EXPECT_FALSE(inner_packet(Bytes{}));
    EXPECT_EQ(protocol_of(Bytes{0x45}), 0x0021);
    EXPECT_EQ(protocol_of(Bytes{0x60}), 0x0057);
    EXPECT_EQ(protocol_of(Bytes{0x10}), std::nullopt);
}

}  // namespace receiver_test
}  // namespace vpnha::mppe
