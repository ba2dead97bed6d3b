// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/private_network.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>

#include "base/internet_checksum.hpp"
#include "host/os/program_output.hpp"

namespace vpnha::probe {
namespace private_network_test {

constexpr Ipv4Address kServer{0xc0000264};
constexpr const char* kServerText = "192.0.2.100";

TEST(PrivateNetworkTest, APacketOfUdpIsReadAsItWasWritten) {
    const Bytes payload{1, 2, 3};
    const Bytes packet = encode_udp({kPrivateAddress, 500}, {kServer, 4500}, payload);
    EXPECT_EQ(internet_checksum(0, ByteView(packet).first(20)), 0);
    const auto parsed = parse_udp(packet, kServer);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->source, 500);
    EXPECT_EQ(parsed->destination, 4500);
    EXPECT_EQ(to_hex(parsed->payload), "010203");
    EXPECT_TRUE(parse_udp(encode_udp({}, {kServer, 1}, {}), kServer)->payload.empty());
}

TEST(PrivateNetworkTest, WhatIsNoWholePacketForTheServerIsNone) {
    const Bytes good = encode_udp({kPrivateAddress, 500}, {kServer, 4500}, Bytes{1, 2, 3});
    EXPECT_FALSE(parse_udp(good, kPrivateAddress)) << "to somebody else";
    const struct {
        std::size_t at;
        std::uint8_t value;
    } cases[] = {{0, 0x65}, {0, 0x44}, {0, 0x4f}, {3, 32}, {3, 27},
                 {6, 0x20}, {7, 1},    {9, 6},    {25, 7}, {25, 12}};
    for (const auto& each : cases) {
        Bytes bad = good;
        bad[each.at] = each.value;
        EXPECT_FALSE(parse_udp(bad, kServer)) << each.at << " " << int{each.value};
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(parse_udp(ByteView(good).first(size), kServer)) << size;
    }
}

sockaddr_in address_of(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, kServerText, &address.sin_addr);
    return address;
}

adapters::UniqueFd udp_socket() {
    adapters::UniqueFd fd = adapters::open_network_socket(AF_INET, SOCK_DGRAM);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

TEST(PrivateNetworkTest, IkeAndEspInUdpPassThereAndBackAndNothingElse) {
    const auto outside = adapters::NetworkNamespace::make();
    ASSERT_TRUE(outside) << outside.error().detail;
    const adapters::InNetwork within(*outside);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"/usr/sbin/ip", "link", "set", "lo", "up"},
          {"/usr/sbin/ip", "address", "add", std::string(kServerText) + "/32", "dev", "lo"}}) {
        ASSERT_TRUE(adapters::output_of(words, std::chrono::seconds(5)));
    }
    const auto path = find_path(kServerText, 500, "");
    ASSERT_TRUE(path);
    const auto network = PrivateNetwork::make(*path);
    ASSERT_TRUE(network) << network.error().detail;
    for (const std::uint16_t port : std::array<std::uint16_t, 3>{500, 4500, 1701}) {
        const adapters::UniqueFd server = udp_socket();
        const sockaddr_in place = address_of(port);
        ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
        const adapters::InNetwork inside((*network)->place());
        const adapters::UniqueFd client = udp_socket();
        ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place),
                  0);
        ASSERT_EQ(::send(client.get(), "ask", 3, 0), 3);
        std::array<char, 16> buffer{};
        sockaddr_in from{};
        socklen_t size = sizeof from;
        if (port == 1701) {
            const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
            ::setsockopt(server.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
            EXPECT_LT(::recv(server.get(), buffer.data(), buffer.size(), 0), 0);
            continue;
        }
        ASSERT_EQ(::recvfrom(server.get(), buffer.data(), buffer.size(), 0,
                             reinterpret_cast<sockaddr*>(&from), &size),
                  3)
            << port;
        ASSERT_EQ(::sendto(server.get(), "reply", 5, 0, reinterpret_cast<sockaddr*>(&from), size),
                  5);
        EXPECT_EQ(::recv(client.get(), buffer.data(), buffer.size(), 0), 5) << port;
    }
}

}  // namespace private_network_test
}  // namespace vpnha::probe
