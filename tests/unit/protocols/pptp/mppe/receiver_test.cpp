// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/receiver.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "support/linux_peer.hpp"

namespace vpnha::mppe {
namespace receiver_test {

using test::ip6_packet;
using test::ip_packet;
using test::kStartKey;
using test::LinuxReceiver;
using test::seal;

class ReceiverTest : public ::testing::Test {
  protected:
    // Under a number of the layer below.
    struct Numbered {
        std::uint32_t number;
        Bytes frame;
    };
    static constexpr std::uint32_t kFirstNumber = 0xffff'ff00;  // It wraps soon.

    // The index of the packet that was opened; nullopt: it was not.
    std::optional<std::uint32_t> open(const Numbered& packet) {
        return open_by(receiver_, packet, now_);
    }
    static std::optional<std::uint32_t> open_by(Receiver& receiver, const Numbered& packet,
                                                TimePoint now = {}) {
        Bytes out(packet.frame.size());
        const auto opened = receiver.open(packet.frame, packet.number, now, out.data());
        if (!opened) {
            return std::nullopt;
        }
        return ByteReader(opened->subspan(20)).u32();
    }
    Numbered packet() { return packet_of(sender_); }
    static Numbered packet_of(Sender& sender, std::uint32_t others = 0) {
        const auto index = static_cast<std::uint32_t>(sender.index());
        return {kFirstNumber + index + others, seal(sender, ip_packet(index))};
    }
    Numbered packet_at(std::uint64_t index) {
        sender_.skip_to(index);
        return packet();
    }
    // Garbage of that index.
    static Numbered forged_at(std::uint64_t index) {
        const auto count = static_cast<std::uint16_t>(0x9000 | index % kCoherencyCounts);
        return {kFirstNumber + static_cast<std::uint32_t>(index),
                {static_cast<std::uint8_t>(count >> 8), static_cast<std::uint8_t>(count), 1, 2, 3}};
    }
    static std::uint32_t number_before(std::uint64_t index) {
        return kFirstNumber + static_cast<std::uint32_t>(index) - 1;
    }

    KeyChain chain_{Strength::bits128, kStartKey};
    ReceiverCounters counters_;
    Sender sender_{chain_};
    Receiver receiver_ = made();
    TimePoint now_{std::chrono::hours(1)};

  private:
    Receiver made() {
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(0, kFirstNumber - 1);
        return receiver;
    }
};

TEST_F(ReceiverTest, OpensWhatASenderSealedForThousandsOfPackets) {
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        ASSERT_EQ(open(packet()), i);
    }
    EXPECT_EQ(receiver_.index(), 10'000U);
    EXPECT_EQ(counters_.undecipherable + counters_.outdated, 0U);
}

TEST_F(ReceiverTest, APacketReportsItsIndexAndThatItIsStateless) {
    const Bytes first = packet().frame;
    EXPECT_EQ(to_hex(ByteView(first).first(2)), "9000");
    EXPECT_EQ(to_hex(ByteView(packet_at(4096 + 0x123).frame).first(2)), "9123");
    EXPECT_EQ(sender_.index(), 4096U + 0x124);
    sender_.skip_to(7);
    EXPECT_EQ(sender_.index(), 4096U + 0x124);
}

TEST_F(ReceiverTest, AGapOfAnyLengthIsJumpedOver) {
    // Densely where a turn begins and ends.
    std::vector<std::uint32_t> gaps;
    for (std::uint32_t gap = 0; gap <= 100'000; gap += 3989) {
        gaps.push_back(gap);
    }
    for (const std::uint32_t near : {2048U, 4096U, 2U * 4096}) {
        for (std::uint32_t gap = near - 66; gap <= near + 66; gap += 3) {
            gaps.push_back(gap);
        }
    }
    for (const std::uint32_t gap : gaps) {
        Sender sender(chain_);
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(0, kFirstNumber - 1);
        for (int i = 0; i < 70; ++i) {
            ASSERT_TRUE(open_by(receiver, packet_of(sender)));
        }
        sender.skip_to(sender.index() + gap);
        for (int i = 0; i < 3; ++i) {
            // What was lost had some numbers that were not of MPPE.
            ASSERT_EQ(open_by(receiver, packet_of(sender, gap / 50)), 70 + gap + i) << gap;
        }
    }
    EXPECT_EQ(counters_.undecipherable + counters_.outdated, 0U);
}

TEST_F(ReceiverTest, PacketsThatChangePlacesAreNotTakenForATurn) {
    // Each number in a place up to 16 away from its own, now and then with a long gap before.
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        Sender sender(chain_);
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(0, kFirstNumber - 1);
        for (int burst = 0; burst < 5; ++burst) {
            std::vector<Numbered> packets;
            for (int i = 0; i < 16; ++i) {
                packets.push_back(packet_of(sender));
            }
            std::ranges::shuffle(packets, random);
            for (const Numbered& each : packets) {
                ASSERT_TRUE(open_by(receiver, each)) << seed;
            }
            sender.skip_to(sender.index() + random() % 10'000);
        }
    }
}

TEST_F(ReceiverTest, NumbersInAnotherOrderThanTheIndexesAreNoTurn) {
    std::vector<Numbered> packets;
    for (int i = 0; i < 64; ++i) {
        packets.push_back(packet());
    }
    for (std::size_t i = 0; i < 64; i += 2) {
        std::swap(packets[i].number, packets[i + 1].number);
    }
    for (std::uint32_t i = 0; i < 64; ++i) {
        ASSERT_EQ(open(packets[i]), i);
    }
}

TEST_F(ReceiverTest, NobodyMakesKeysForAPacketThatIsTooFarAhead) {
    EXPECT_EQ(open(packet()), 0U);
    EXPECT_EQ(open(forged_at(4095 + 200'000 / 4096 * 4096)), std::nullopt);
    Numbered packet = packet_at(100);
    packet.number += 200'000;
    EXPECT_EQ(open(packet), std::nullopt);
    EXPECT_EQ(counters_.outdated, 2U);
    EXPECT_EQ(counters_.keys, 1U);
    packet.number -= 200'000;
    EXPECT_EQ(open(packet), 100U);
}

// Hours of echoes without MPPE, each with a number: then the next packet is not a turn ahead.
TEST_F(ReceiverTest, NumbersOfOtherPacketsAreNoTurns) {
    for (std::uint32_t others = 0; others <= 20'000; others += 1000) {
        Sender sender(chain_);
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(0, kFirstNumber - 1);
        ASSERT_EQ(open_by(receiver, packet_of(sender)), 0U);
        ASSERT_EQ(open_by(receiver, packet_of(sender, others)), 1U) << others;
        sender.skip_to(5000);
        ASSERT_EQ(open_by(receiver, packet_of(sender, others)), 5000U) << others;
    }
    EXPECT_EQ(counters_.undecipherable, 0U);
}

TEST_F(ReceiverTest, LatePacketsAreOpenedOnceAsLongAsTheirKeysAreKept) {
    std::vector<Numbered> frames;
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
    Numbered forged = packet_at(500);
    forged.frame[10] ^= 1;
    EXPECT_EQ(open(forged), std::nullopt);
    EXPECT_EQ(receiver_.index(), 1U);
    EXPECT_EQ(counters_.undecipherable, 1U);
    EXPECT_EQ(open(packet_at(501)), 501U);
}

TEST_F(ReceiverTest, WhatIsNoStatelessMppeIsMalformed) {
    for (const Bytes& each :
         {Bytes{}, Bytes{0x90}, Bytes{0x10, 0, 1}, Bytes{0x80, 0, 1}, Bytes{0xb0, 0, 1}}) {
        EXPECT_EQ(open({kFirstNumber, each}), std::nullopt);
    }
    EXPECT_EQ(counters_.malformed, 5U);
}

TEST_F(ReceiverTest, TheFirstPacketAfterNumbersFromElsewhereIsFound) {
    for (const std::uint32_t lag : {0, 1, 608, 3000, 4096, 40'000, 100'000}) {
        Sender sender(chain_);
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(1000, number_before(1000));
        while (!receiver.catch_up(64)) {
        }
        sender.skip_to(1000 + lag);
        EXPECT_EQ(open_by(receiver, packet_of(sender)), 1000 + lag) << lag;
        EXPECT_EQ(receiver.index(), 1001 + lag);
    }
}

TEST_F(ReceiverTest, AnEchoThatWasTheLastOfThemHidesNoGap) {
    // 3 000 and more packets were lost, then an echo came, then the node died.
    for (const std::uint32_t lost : {100, 3000, 4096, 8000, 60'000}) {
        Sender sender(chain_);
        Receiver receiver(chain_, counters_, false);
        receiver.skip_to(1000, number_before(1000) + lost + 1);
        sender.skip_to(1000 + lost);
        EXPECT_EQ(open_by(receiver, packet_of(sender, 1)), 1000 + lost) << lost;
        EXPECT_EQ(open_by(receiver, packet_of(sender, 1)), 1001 + lost) << lost;
    }
}

// S5. A client may send what it likes under the numbers that are to come.
TEST_F(ReceiverTest, NoPacketAndNoSecondTakesMoreThanItsKeys) {
    constexpr std::uint64_t kOfAPacket = Receiver::kFreeKeys + Receiver::kKeysMax;
    constexpr std::uint64_t kPackets = 100;
    for (const std::uint64_t ahead : {1, 63, 64, 65, 2047, 5000, 131'000}) {
        for (const bool is_first : {false, true}) {
            ReceiverCounters counters;
            Receiver receiver(chain_, counters, false);
            receiver.skip_to(0, kFirstNumber - 1);
            Sender sender(chain_);
            if (!is_first) {
                ASSERT_TRUE(open_by(receiver, packet_of(sender), now_));
            }
            std::uint64_t bound = Receiver::kKeysMax;
            for (int second = 0; second < 3; ++second) {
                for (std::uint64_t i = 0; i < kPackets; ++i) {
                    const std::uint64_t before = counters.keys;
                    const auto opened =
                        open_by(receiver, forged_at(receiver.index() + ahead), now_);
                    ASSERT_FALSE(opened);
                    ASSERT_LE(counters.keys - before, kOfAPacket);
                }
                bound += kPackets * Receiver::kFreeKeys;
                ASSERT_LE(counters.keys, bound) << ahead << " in second " << second;
                now_ += std::chrono::seconds(1);
                bound += Receiver::kKeysPerSecond;
            }
            // What is near is opened in the end.
            EXPECT_TRUE(open_by(receiver, packet_of(sender), now_)) << ahead;
        }
    }
}

TEST_F(ReceiverTest, WhatIsFarAheadIsOpenedWhenThereAreKeysAgain) {
    EXPECT_EQ(open(packet()), 0U);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(open(forged_at(11 + 5000)), std::nullopt);
    }
    EXPECT_GT(counters_.refused, 50U);
    EXPECT_EQ(open(packet_at(5000)), std::nullopt);
    now_ += std::chrono::seconds(1);
    EXPECT_EQ(open(packet_at(5001)), 5001U);
    // One that has the keys may not jump each time, either.
    std::uint64_t index = 5001;
    for (int i = 0; i < 10; ++i) {
        index += 100'000;
        static_cast<void>(open(packet_at(index)));
    }
    EXPECT_LE(counters_.keys, Receiver::kKeysMax + Receiver::kKeysPerSecond + 120 * 64);
}

TEST_F(ReceiverTest, KeysThatAreMissingAreMadeInSlicesAndOnce) {
    receiver_.skip_to(10'000, number_before(10'000));
    const auto steps = static_cast<int>(10'000 / Receiver::kLateKeysMax);
    for (int i = 0; i < steps; ++i) {
        const std::uint64_t before = counters_.keys;
        EXPECT_EQ(open(packet_at(10'000)), std::nullopt);
        EXPECT_EQ(counters_.keys - before, Receiver::kLateKeysMax);
        sender_ = Sender(chain_);
    }
    EXPECT_EQ(open(packet_at(10'000)), 10'000U);
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

TEST_F(ReceiverTest, PacketsOfIpv4AreKnownByTheirHeaders) {
    Bytes padded = test::with_protocol(ip_packet(1));
    const std::size_t size = padded.size() - 2;
    padded.resize(padded.size() + 6);
    for (const bool with_ipv6 : {false, true}) {
        const auto packet = inner_packet(padded, with_ipv6);
        ASSERT_TRUE(packet);
        EXPECT_EQ(packet->octets.size(), size);
        EXPECT_TRUE(packet->has_checksum);
    }
    Bytes short_protocol = test::with_protocol(ip_packet(1));
    short_protocol.erase(short_protocol.begin());
    EXPECT_TRUE(inner_packet(short_protocol, false));
    short_protocol[5] ^= 1;
    EXPECT_FALSE(inner_packet(short_protocol, false));
    EXPECT_FALSE(inner_packet(Bytes{0x21, 0x45}, false));
    EXPECT_FALSE(inner_packet(Bytes{}, true));
    EXPECT_TRUE(is_ipv4(Bytes{0x45}));
    EXPECT_FALSE(is_ipv4(Bytes{0x60}));
    EXPECT_FALSE(is_ipv4(Bytes{}));
    EXPECT_TRUE(is_ipv6(Bytes{0x60}));
    EXPECT_FALSE(is_ipv6(Bytes{0x45}));
    EXPECT_FALSE(is_ipv6(Bytes{}));
}

TEST_F(ReceiverTest, PacketsOfIpv6AreKnownByWhatIsInThem) {
    const Bytes plain = test::with_protocol(ip6_packet(1));
    EXPECT_FALSE(inner_packet(plain, false)) << "a wrong key would be taken for the right one";
    const auto packet = inner_packet(plain, true);
    ASSERT_TRUE(packet);
    EXPECT_TRUE(packet->has_checksum);
    EXPECT_EQ(packet->octets.size(), plain.size() - 2);
    for (std::size_t at = 2; at < plain.size(); ++at) {
        Bytes wrong = plain;
        wrong[at] ^= 0x80;
        const auto opened = inner_packet(wrong, true);
        // The traffic class, the flow label and the hop limit are nobody's; a protocol without a
        // checksum shows nothing but its form.
        const bool is_free = (at >= 3 && at <= 5) || at == 9;
        EXPECT_EQ(opened && opened->has_checksum, is_free) << at;
        EXPECT_EQ(opened.has_value(), is_free || at == 8) << at;
    }
    Bytes padded = plain;
    padded.resize(padded.size() + 6);
    ASSERT_TRUE(inner_packet(padded, true));
    EXPECT_EQ(inner_packet(padded, true)->octets.size(), plain.size() - 2);
}

TEST_F(ReceiverTest, PacketsOfIpv6WithoutAChecksumHaveTheLengthOfTheirFrame) {
    constexpr std::uint8_t kEsp = 50, kFragment = 44, kUdp = 17, kRouting = 43;
    for (const std::uint8_t protocol : {kEsp, kFragment}) {
        Bytes plain = test::with_protocol(ip6_packet(1, protocol));
        const auto packet = inner_packet(plain, true);
        ASSERT_TRUE(packet);
        EXPECT_FALSE(packet->has_checksum);
        plain.push_back(0);
        EXPECT_FALSE(inner_packet(plain, true));
        plain.resize(plain.size() - 2);
        EXPECT_FALSE(inner_packet(plain, true));
    }
    Bytes udp = test::with_protocol(ip6_packet(1, kUdp));
    udp[2 + 46] = udp[2 + 47] = 0;
    ASSERT_TRUE(inner_packet(udp, true));
    EXPECT_FALSE(inner_packet(udp, true)->has_checksum);
    // A destination option before ICMPv6; then a route that has not ended.
    const Bytes icmp = ip6_packet(1);
    Bytes longer = test::with_protocol(icmp);
    longer[2 + 5] += 8;
    longer[2 + 6] = 60;
    const Bytes option{58, 0, 1, 4, 0, 0, 0, 0};
    longer.insert(longer.begin() + 2 + 40, option.begin(), option.end());
    ASSERT_TRUE(inner_packet(longer, true));
    EXPECT_TRUE(inner_packet(longer, true)->has_checksum);
    longer.back() ^= 1;
    EXPECT_FALSE(inner_packet(longer, true));
    longer[2 + 6] = kRouting;
    ASSERT_TRUE(inner_packet(longer, true));
    EXPECT_FALSE(inner_packet(longer, true)->has_checksum);
}

TEST_F(ReceiverTest, WithIpv6APacketWithAChecksumIsFoundFarAhead) {
    Receiver receiver(chain_, counters_, true);
    receiver.skip_to(0, kFirstNumber - 1);
    sender_.skip_to(9'000);
    Bytes out(100);
    const auto opened = receiver.open(seal(sender_, ip6_packet(77)),
                                      kFirstNumber + 9'000 + kCoherencyCounts, now_, out.data());
    ASSERT_TRUE(opened);
    EXPECT_EQ(test::number_in(*opened), 77U);
    EXPECT_EQ(receiver.index(), 9'001U);
}

TEST_F(ReceiverTest, APacketWithoutAChecksumCountsNearTheLastOneAlone) {
    constexpr std::uint8_t kEsp = 50;
    Receiver receiver(chain_, counters_, true);
    receiver.skip_to(0, kFirstNumber - 1);
    Bytes out(100);
    const auto opens = [&](std::uint64_t index, const Bytes& packet) {
        sender_.skip_to(index);
        return receiver.open(seal(sender_, packet), number_before(index) + 1, now_, out.data())
            .has_value();
    };
    EXPECT_TRUE(opens(0, ip6_packet(1, kEsp)));
    EXPECT_TRUE(opens(64, ip6_packet(1, kEsp))) << "the kept keys open what it has skipped";
    EXPECT_FALSE(opens(129, ip6_packet(1, kEsp)));
    EXPECT_EQ(receiver.index(), 65U);
    EXPECT_TRUE(opens(130, ip6_packet(1)));
    EXPECT_TRUE(opens(131, ip6_packet(1, kEsp)));
    // Near by its index, but not by its number.
    sender_.skip_to(132);
    EXPECT_FALSE(receiver.open(seal(sender_, ip6_packet(1, kEsp)), number_before(132) + 4'097, now_,
                               out.data()));
}

}  // namespace receiver_test
}  // namespace vpnha::mppe
