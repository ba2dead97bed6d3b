// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/udp_ports.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>

#include <array>

namespace vpnha::witness {
namespace udp_ports_test {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A peer on loopback, with a port that the kernel chooses.
class Peer {
  public:
    explicit Peer(const std::string& address)
        : fd_(::socket(parse_endpoint(address)->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        Endpoint own = *parse_endpoint(address);
        reinterpret_cast<sockaddr_in*>(&own.storage)->sin_port = 0;  // Of both families.
        EXPECT_EQ(::bind(fd_.get(), own.get(), own.size), 0);
    }
    void emit(const std::string& to, const std::string& text) const {
        const Endpoint endpoint = *parse_endpoint(to);
        EXPECT_EQ(::sendto(fd_.get(), text.data(), text.size(), 0, endpoint.get(), endpoint.size),
                  static_cast<ssize_t>(text.size()));
    }
    // What came, and from where.
    [[nodiscard]] std::pair<std::string, std::string> receives() const {
        pollfd waited{fd_.get(), POLLIN, 0};
        if (::poll(&waited, 1, 10'000) != 1) {
            return {"nothing", ""};
        }
        std::array<char, 100> buffer{};
        Endpoint from;
        from.size = sizeof from.storage;
        const ssize_t got = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                       reinterpret_cast<sockaddr*>(&from.storage), &from.size);
        return {std::string(buffer.data(), static_cast<std::size_t>(got)), to_text(from)};
    }
    [[nodiscard]] std::string text() const {
        Endpoint own;
        own.size = sizeof own.storage;
        ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.size);
        return to_text(own);
    }

  private:
    adapters::UniqueFd fd_;
};

std::uint16_t free_port() {
    const std::string text = Peer("127.0.0.1:1").text();
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

// Answers the one datagram that comes.
std::string answer(const UdpPorts& ports, const std::string& text) {
    std::array<std::uint8_t, 100> buffer{};
    for (const int fd : ports.fds()) {
        if (const auto received = ports.receive(fd, buffer)) {
            EXPECT_TRUE(ports.send(received->from, to_bytes(text)));
            return UdpPorts::from_text(received->from);
        }
    }
    return "nothing";
}

TEST(UdpPortsTest, OnAllAddressesBothFamiliesAreAnsweredFromTheAddressThatTheyAsked) {
    const std::uint16_t port = free_port();
    const auto ports = UdpPorts::open({}, port);
    ASSERT_TRUE(ports) << ports.error().detail;
    EXPECT_THAT(ports->fds(), SizeIs(1));
    const std::string suffix = ":" + std::to_string(port);
    for (const std::string& asked : {"127.0.0.1" + suffix, "127.0.0.9" + suffix}) {
        const Peer peer("127.0.0.1:1");
        peer.emit(asked, "hello");
        EXPECT_EQ(answer(*ports, "welcome"), peer.text());
        EXPECT_EQ(peer.receives(), std::pair(std::string("welcome"), asked));
    }
    const Peer peer("[::1]:1");
    peer.emit("[::1]" + suffix, "hello");
    EXPECT_EQ(answer(*ports, "welcome"), peer.text());
    EXPECT_EQ(peer.receives(), std::pair(std::string("welcome"), "[::1]" + suffix));
}

TEST(UdpPortsTest, BothFamiliesMayBeNamed) {
    const std::string suffix = ":" + std::to_string(free_port());
    const auto ports =
        UdpPorts::open({*parse_endpoint("0.0.0.0" + suffix), *parse_endpoint("[::]" + suffix)}, 1);
    ASSERT_TRUE(ports) << ports.error().detail;
    EXPECT_THAT(ports->fds(), SizeIs(2));
    const Peer peer("127.0.0.1:1");
    peer.emit("127.0.0.7" + suffix, "hello");
    EXPECT_EQ(answer(*ports, "welcome"), peer.text());
    EXPECT_EQ(peer.receives().second, "127.0.0.7" + suffix);
}

TEST(UdpPortsTest, WhatDoesNotFitHasItsWholeSize) {
    const std::uint16_t port = free_port();
    const auto ports = UdpPorts::open({}, port);
    const Peer peer("127.0.0.1:1");
    peer.emit("127.0.0.1:" + std::to_string(port), std::string(500, 'x'));
    std::array<std::uint8_t, 100> buffer{};
    EXPECT_EQ(ports->receive(ports->fds()[0], buffer)->size, 500U);
    EXPECT_FALSE(ports->receive(ports->fds()[0], buffer)) << "there is nothing more";
}

TEST(UdpPortsTest, EachAddressThatCannotBeHadIsNamed) {
    const auto ports =
        UdpPorts::open({*parse_endpoint("192.0.2.1:9"), *parse_endpoint("[2001:db8::1]:9")}, 1);
    ASSERT_FALSE(ports);
    EXPECT_THAT(ports.error().detail, HasSubstr("listening on 192.0.2.1:9: "));
    EXPECT_THAT(ports.error().detail, HasSubstr("\nlistening on [2001:db8::1]:9: "));
}

}  // namespace udp_ports_test
}  // namespace vpnha::witness
