// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/peer_record.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/limits.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::wireguard {
namespace peer_record_test {

using test::endpoint;
using test::net;
using test::sample_key;
using test::sample_peer;
using test::sample_traffic;
using ::testing::ElementsAre;

Result<Peer> parsed(const Peer& peer) {
    return parse_peer(encode_key(peer.key), encode_peer(peer));
}

TEST(PeerRecordTest, APeerHasTheDocumentedBytes) {
    EXPECT_EQ(to_hex(encode_key(sample_key())),
              "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c00000001");
    EXPECT_EQ(to_hex(encode_peer(sample_peer())),
              "01"
              "0048" +
                  to_hex(Bytes(72, 0x5e)) +  // The preshared key, sealed.
                  "0019"                     // Keepalive.
                  "04c00002339cbb"           // Endpoint.
                  "0002"                     // Allowed IPs.
                  "040ac8090720"
                  "1020010db800090000000000000000000040");
}

TEST(PeerRecordTest, WhatWasWrittenIsRead) {
    Peer peer = sample_peer();
    ASSERT_TRUE(parsed(peer)) << parsed(peer).error().detail;
    EXPECT_EQ(*parsed(peer), peer);
    peer.endpoint = endpoint("2001:db8::51", 51820);
    EXPECT_EQ(*parsed(peer), peer);
    peer = {.key = sample_key(7)};  // One that has never sent anything.
    ASSERT_TRUE(parsed(peer)) << parsed(peer).error().detail;
    EXPECT_EQ(*parsed(peer), peer);
    EXPECT_LE(encode_key(peer.key).size(), limits::kRecordIdBytesMax);
}

TEST(PeerRecordTest, TheLargestPeerFitsIntoARecord) {
    Peer peer = sample_peer();
    peer.allowed.clear();
    for (std::uint32_t i = 0; i < limits::kWireguardAllowedIpsMax; ++i) {
        Ipv6Address address{};
        address.octets = {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<std::uint8_t>(i)};
        peer.allowed.push_back({IpAddress(address), 64});
    }
    peer.sealed_preshared.resize(limits::kWireguardSealedKeyBytesMax);
    ASSERT_TRUE(parsed(peer)) << parsed(peer).error().detail;
    EXPECT_LE(encode_peer(peer).size(), std::size_t{8} * 1024) << "record_traits.hpp";
    peer.allowed.push_back(net("2001:db9::/64"));
    EXPECT_FALSE(parsed(peer)) << "one net too many";
}

TEST(PeerRecordTest, TrafficHasTheDocumentedBytes) {
    EXPECT_EQ(to_hex(encode_traffic(sample_traffic())),
              "01"
              "0000019b76daa800"
              "0000000000001000"
              "0000000000010000");
    const auto read = parse_traffic(encode_traffic(sample_traffic()));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, sample_traffic());
}

TEST(PeerRecordTest, ThatWhichCannotBeIsRefused) {
    const std::vector<std::function<void(Peer&)>> wrongs{
        [](Peer& peer) { peer.endpoint->port = 0; },
        [](Peer& peer) { peer.endpoint = endpoint("224.0.0.1", 1); },
        [](Peer& peer) { peer.endpoint = endpoint("0.0.0.0", 1); },
        [](Peer& peer) { peer.endpoint = endpoint("::", 1); },
        [](Peer& peer) { peer.endpoint = endpoint("ff02::1", 1); },
        [](Peer& peer) { peer.endpoint = endpoint("fe80::1", 1); },
        [](Peer& peer) { peer.allowed.back() = net("2001:db8:9::1/64"); },
        [](Peer& peer) { peer.allowed.back().length = 129; },
        [](Peer& peer) { peer.allowed.front().length = 33; },
        [](Peer& peer) { std::swap(peer.allowed.front(), peer.allowed.back()); },
        [](Peer& peer) { peer.allowed.push_back(peer.allowed.back()); },
        [](Peer& peer) { peer.sealed_preshared.resize(limits::kWireguardSealedKeyBytesMax + 1); },
    };
    for (std::size_t i = 0; i < wrongs.size(); ++i) {
        Peer peer = sample_peer();
        wrongs[i](peer);
        EXPECT_FALSE(parsed(peer)) << i;
    }
}

TEST(PeerRecordTest, AnotherVersionOrLengthIsRefused) {
    const Bytes id = encode_key(sample_key());
    Bytes peer = encode_peer(sample_peer());
    Bytes traffic = encode_traffic(sample_traffic());
    for (std::size_t size = 0; size < peer.size(); ++size) {
        EXPECT_FALSE(parse_peer(id, ByteView(peer).first(size))) << size;
    }
    for (std::size_t size = 0; size < traffic.size(); ++size) {
        EXPECT_FALSE(parse_traffic(ByteView(traffic).first(size))) << size;
    }
    for (Bytes* const each : {&peer, &traffic}) {
        each->push_back(0);
        EXPECT_FALSE(parse_peer(id, *each));
        EXPECT_FALSE(parse_traffic(*each));
        each->pop_back();
        each->front() = 2;
    }
    const auto later = parse_peer(id, peer);
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().code, Errc::unsupported);
    EXPECT_EQ(parse_traffic(traffic).error().code, Errc::unsupported);
    EXPECT_FALSE(parse_key(ByteView(id).first(31)));
    EXPECT_FALSE(parse_peer(ByteView(id).first(31), encode_peer(sample_peer())));
}

TEST(PeerRecordTest, AllowedIpsHaveOneOrder) {
    EXPECT_THAT(
        in_order({net("10.1.0.0/16"), net("2001:db8::/32"), net("10.0.0.9/8"), net("10.1.0.0/16")}),
        ElementsAre(net("10.0.0.0/8"), net("10.1.0.0/16"), net("2001:db8::/32")));
}

TEST(PeerRecordTest, EachPeerHasASealContextOfItsOwn) {
    EXPECT_NE(seal_context(sample_key(1)), seal_context(sample_key(2)));
}

}  // namespace peer_record_test
}  // namespace vpnha::wireguard
