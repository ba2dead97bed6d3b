// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard_message.hpp"

#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "host/netlink/netlink.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::adapters {
namespace wireguard_message_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wireguard::PeerState;
using wireguard::test::endpoint;
using wireguard::test::net;
using wireguard::test::sample_key;
using wireguard::test::sample_peer;

constexpr std::uint16_t kFamily = 30;

class Buffer {
  public:
    [[nodiscard]] char* data() { return octets_.data(); }

  private:
    alignas(nlmsghdr) std::array<char, kWireguardRequestBytesMax> octets_{};
};

// Each attribute as "TYPE:hex", those within a nest in parentheses.
std::string shown(const nlattr* attribute, int nested) {
    std::string text = std::to_string(mnl_attr_get_type(attribute)) + ":";
    if (nested == 0) {
        const auto* const octets =
            static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
        return text + to_hex({octets, mnl_attr_get_payload_len(attribute)});
    }
    EXPECT_NE(attribute->nla_type & NLA_F_NESTED, 0) << "the kernel is strict";
    text += "(";
    for_each_nested(attribute, [&](const nlattr* each) {
        const bool is_nest = nested > 1 || mnl_attr_get_type(each) == WGPEER_A_ALLOWEDIPS;
        text += (text.back() == '(' ? "" : " ") + shown(each, is_nest ? 1 : 0);
    });
    return text + ")";
}

// The peers of a request.
std::vector<std::string> peers_in(const nlmsghdr* message) {
    std::vector<std::string> peers;
    for_each_attribute(message, sizeof(genlmsghdr), [&peers](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == WGDEVICE_A_PEERS) {
            for_each_nested(attribute, [&peers](const nlattr* each) {
                std::string text;
                for_each_nested(each, [&text](const nlattr* part) {
                    const int nested = mnl_attr_get_type(part) == WGPEER_A_ALLOWEDIPS ? 2 : 0;
                    text += (text.empty() ? "" : " ") + shown(part, nested);
                });
                peers.push_back(text);
            });
        }
    });
    return peers;
}

TEST(WireguardMessageTest, ADeviceIsSetAsTheKernelTakesIt) {
    Buffer buffer;
    const Bytes key(32, 0x4b);
    const nlmsghdr* const message =
        PeerRequest(buffer.data(), kFamily, "wg0")
            .set_device({.private_key = key, .listen_port = 51820, .mark = 0x76700001})
            .finish();
    EXPECT_EQ(message->nlmsg_type, kFamily);
    EXPECT_EQ(message->nlmsg_flags, NLM_F_REQUEST);
    const auto* const header = static_cast<const genlmsghdr*>(mnl_nlmsg_get_payload(message));
    EXPECT_EQ(header->cmd, WG_CMD_SET_DEVICE);
    EXPECT_EQ(header->version, 1);
    std::vector<std::string> attributes;
    for_each_attribute(message, sizeof(genlmsghdr), [&attributes](const nlattr* attribute) {
        attributes.push_back(shown(attribute, 0));
    });
    EXPECT_THAT(attributes, ElementsAre("2:77673000", "3:" + to_hex(key), "6:6cca", "7:01007076",
                                        "5:01000000"));
}

TEST(WireguardMessageTest, APeerIsSetAsTheKernelTakesIt) {
    Buffer buffer;
    PeerRequest request(buffer.data(), kFamily, "wg0");
    const auto peer = sample_peer();
    const Bytes preshared(32, 0x50);
    const std::string key = "1:" + to_hex(peer.key.octets);
    ASSERT_TRUE(request.add({.key = peer.key, .is_removed = true}));
    ASSERT_TRUE(request.add({.key = peer.key,
                             .preshared = ByteView(preshared),
                             .endpoint = peer.endpoint,
                             .keepalive_s = std::uint16_t{0},
                             .allowed = std::span(peer.allowed)}));
    ASSERT_TRUE(request.add({.key = peer.key,
                             .only_if_there = true,
                             .preshared = ByteView{},
                             .endpoint = endpoint("2001:db8::51", 51820),
                             .keepalive_s = std::uint16_t{25},
                             .allowed = std::nullopt}));
    EXPECT_THAT(
        peers_in(request.finish()),
        ElementsAre(key + " 3:01000000",
                    key + " 3:02000000 2:" + to_hex(preshared) +
                        " 4:02009cbbc00002330000000000000000 5:0000 "
                        "9:(0:(1:0200 2:0ac80907 3:20) "
                        "0:(1:0a00 2:20010db8000900000000000000000000 3:40))",
                    key + " 3:04000000 2:" + to_hex(Bytes(32)) +
                        " 4:0a00ca6c0000000020010db800000000000000000000005100000000 5:1900"));
}

TEST(WireguardMessageTest, TheLargestPeerFitsAndThenNothing) {
    Buffer buffer;
    PeerRequest request(buffer.data(), kFamily, "a-device-of-15b");
    std::vector<IpPrefix> nets(limits::kWireguardAllowedIpsMax, net("2001:db8::/64"));
    const Bytes preshared(32);
    const PeerChange largest{.key = sample_key(),
                             .preshared = ByteView(preshared),
                             .endpoint = endpoint("2001:db8::51", 51820),
                             .keepalive_s = std::uint16_t{0},
                             .allowed = std::span(nets)};
    ASSERT_TRUE(request.add({.key = sample_key(), .is_removed = true}));
    ASSERT_TRUE(request.add(largest));
    EXPECT_FALSE(request.add(largest));
    EXPECT_THAT(peers_in(request.finish()), SizeIs(2)) << "what did not fit is not there in part";
}

TEST(WireguardMessageTest, KeepalivesOfAllThatAreOpenFitIntoOneRequest) {
    Buffer buffer;
    PeerRequest request(buffer.data(), kFamily, "a-device-of-15b");
    for (std::uint32_t i = 0; i < limits::kWireguardHandshakesMax; ++i) {
        ASSERT_TRUE(request.add(
            {.key = sample_key(i), .only_if_there = true, .keepalive_s = std::uint16_t{25}}))
            << i;
    }
}

// A message of a listing, as the kernel would send it.
class Listing {
  public:
    Listing() {
        nlmsghdr* const message = mnl_nlmsg_put_header(buffer_.data());
        message->nlmsg_type = kFamily;
        mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr));
        mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, "wg0");
        peers_ = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
    }
    Listing& begin(std::uint32_t number) {
        peer_ = mnl_attr_nest_start(get(), 0);
        return put(WGPEER_A_PUBLIC_KEY, sample_key(number).octets);
    }
    template <class Value>
    Listing& put(std::uint16_t type, const Value& value) {
        mnl_attr_put(get(), type, sizeof value, &value);
        return *this;
    }
    Listing& end() {
        mnl_attr_nest_end(get(), peer_);
        return *this;
    }
    [[nodiscard]] std::vector<PeerState> read() {
        mnl_attr_nest_end(get(), peers_);
        std::vector<PeerState> peers;
        for_each_peer(get(), [&peers](const PeerState& peer) { peers.push_back(peer); });
        return peers;
    }
    [[nodiscard]] nlmsghdr* get() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

  private:
    alignas(nlmsghdr) std::array<char, 4096> buffer_{};
    nlattr* peers_ = nullptr;
    nlattr* peer_ = nullptr;
};

sockaddr_in v4_endpoint() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(40123);
    address.sin_addr.s_addr = htonl(0xc0000233);
    return address;
}

TEST(WireguardMessageTest, AListingIsRead) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(51820);
    v6.sin6_addr.s6_addr[0] = 0x20;
    Listing listing;
    listing.begin(1)
        .put(WGPEER_A_PRESHARED_KEY, std::array<std::uint8_t, 32>{})
        .put(WGPEER_A_ENDPOINT, v4_endpoint())
        .put(WGPEER_A_LAST_HANDSHAKE_TIME, __kernel_timespec{1'767'225'600, 7'000'000})
        .put(WGPEER_A_RX_BYTES, std::uint64_t{4096})
        .put(WGPEER_A_TX_BYTES, std::uint64_t{1} << 40)
        .end();
    listing.begin(2)
        .put(WGPEER_A_ENDPOINT, v6)
        .put(WGPEER_A_RX_BYTES, std::uint64_t{0})
        .put(WGPEER_A_TX_BYTES, std::uint64_t{0})
        .end();
    listing.begin(2).end();  // What did not fit of its nets.
    EXPECT_THAT(listing.read(),
                ElementsAre(PeerState{sample_key(1),
                                      endpoint("192.0.2.51", 40123),
                                      {1'767'225'600'007, 4096, std::uint64_t{1} << 40}},
                            PeerState{sample_key(2), endpoint("2000::", 51820), {}}));
}

TEST(WireguardMessageTest, WhatHasAnotherSizeIsNotBelieved) {
    Listing listing;
    listing.begin(1)
        .put(WGPEER_A_RX_BYTES, std::uint32_t{5})
        .put(WGPEER_A_ENDPOINT, std::uint64_t{2})
        .put(WGPEER_A_LAST_HANDSHAKE_TIME, std::uint64_t{9})
        .end();
    listing.begin(2)
        .put(WGPEER_A_RX_BYTES, std::uint64_t{5})
        .put(WGPEER_A_LAST_HANDSHAKE_TIME, __kernel_timespec{-1, 0})
        .end();
    EXPECT_THAT(listing.read(), ElementsAre(PeerState{sample_key(1), std::nullopt, {}},
                                            PeerState{sample_key(2), std::nullopt, {0, 5, 0}}));
    EXPECT_THAT(Listing().read(), IsEmpty());
}

TEST(WireguardMessageTest, AListingMayEndAnywhere) {
    Listing listing;
    listing.begin(1).put(WGPEER_A_RX_BYTES, std::uint64_t{1}).end();
    ASSERT_THAT(listing.read(), SizeIs(1));
    const std::uint32_t whole = listing.get()->nlmsg_len;
    // libmnl reads up to the next multiple of 4, which is in the buffer.
    for (std::uint32_t size = sizeof(nlmsghdr); size + 3 < whole; ++size) {
        listing.get()->nlmsg_len = size;
        for_each_peer(listing.get(), [size](const PeerState&) { ADD_FAILURE() << size; });
    }
}

TEST(WireguardMessageTest, TheListingAsksForTheDevice) {
    Buffer buffer;
    const nlmsghdr* const message = put_device_listing(buffer.data(), kFamily, "wg0");
    EXPECT_EQ(message->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(static_cast<const genlmsghdr*>(mnl_nlmsg_get_payload(message))->cmd,
              WG_CMD_GET_DEVICE);
}

}  // namespace wireguard_message_test
}  // namespace vpnha::adapters
