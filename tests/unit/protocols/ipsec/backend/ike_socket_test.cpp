// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/ike_socket.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <optional>
#include <string>
#include <vector>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace ike_socket_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration kIkeTurn = std::chrono::milliseconds(50);

class IkeSocketTest : public ::testing::Test {
  protected:
    void SetUp() override {
        vpnha::testing::Namespace::enter_new();
        socket_.emplace(loop_, [this](const ipsec::IkePacket& packet) {
            if (packet.is_sent) {
                sent_.push_back(packet.mid);
                return;
            }
            mids_.push_back(packet.mid);
            children_.push_back(packet.makes_child);
            answers_.push_back(packet.is_answer);
            datagrams_.emplace_back(packet.datagram.begin(), packet.datagram.end());
            paths_.push_back(to_string(packet.from) + " > " + to_string(packet.to));
        });
    }
    void turn() {
        loop_.set_timer(1, QbLoop::now() + kIkeTurn, [this] { loop_.stop(); });
        loop_.run();
    }
    static Bytes ike(std::uint8_t exchange, std::uint32_t mid, std::uint8_t flags = 0x08,
                     bool behind_nat = false) {
        ByteWriter out;
        if (behind_nat) {
            out.u32(0);
        }
        out.u64(1).u64(2).u8(46).u8(0x20).u8(exchange).u8(flags).u32(mid).u32(200);
        return std::move(out.bytes(Bytes(200))).take();
    }
    // To this node itself.
    static void emit(const Bytes& datagram, std::uint16_t port, bool ipv6 = false) {
        const UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
        sockaddr_in6 to6{};
        to6.sin6_family = AF_INET6;
        to6.sin6_port = htons(port);
        to6.sin6_addr = in6addr_loopback;
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* const address =
            ipv6 ? reinterpret_cast<const sockaddr*>(&to6) : reinterpret_cast<const sockaddr*>(&to);
        EXPECT_GT(::sendto(fd.get(), datagram.data(), datagram.size(), 0, address,
                           ipv6 ? sizeof to6 : sizeof to),
                  0);
    }

    QbLoop loop_;
    std::optional<IkeSocket> socket_;
    std::vector<std::uint32_t> mids_;
    std::vector<std::uint32_t> sent_;
    std::vector<bool> children_;
    std::vector<bool> answers_;
    std::vector<Bytes> datagrams_;
    std::vector<std::string> paths_;
};

TEST_F(IkeSocketTest, MessagesAreSeenOnce) {
    ASSERT_TRUE(socket_->watch(true));
    emit(ike(37, 1), 500);
    emit(ike(36, 2, 0x08, true), 4500);
    emit(ike(36, 3), 500, true);
    emit(ike(37, 4, 0x20, true), 4500, true);
    turn();
    EXPECT_THAT(mids_, ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(children_, ElementsAre(false, true, true, false));
    EXPECT_THAT(answers_, ElementsAre(false, false, false, true));
    EXPECT_THAT(datagrams_, ElementsAre(ike(37, 1), ike(36, 2, 0x08, true), ike(36, 3),
                                        ike(37, 4, 0x20, true)));
    EXPECT_THAT(sent_, IsEmpty()) << "by a port that is not IKE's";
}

TEST_F(IkeSocketTest, WhatIsSentGoesOutAsItIs) {
    ASSERT_TRUE(socket_->watch(true));
    // The kernel drops a datagram with a wrong checksum before a socket has it.
    const UniqueFd receiver(::socket(AF_INET6, SOCK_DGRAM, 0));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(4500);
    ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    const Bytes odd = ike(37, 1, 0x08, true);
    Bytes even = ike(37, 2, 0x08, true);
    even.push_back(7);
    const auto host = [](const char* address, std::uint16_t port) {
        return ipsec::HaHost{parse_ip(address).value_or(IpAddress{}), port};
    };
    ASSERT_TRUE(socket_->send(host("127.0.0.1", 4500), host("127.0.0.1", 4500), odd));
    ASSERT_TRUE(socket_->send(host("::1", 500), host("::1", 4500), even));
    EXPECT_FALSE(socket_->send(host("127.0.0.1", 500), host("::1", 500), odd));
    turn();
    EXPECT_THAT(paths_, ElementsAre("127.0.0.1:4500 > 127.0.0.1:4500", "[::1]:500 > [::1]:4500"));
    EXPECT_THAT(datagrams_, ElementsAre(odd, even));
    EXPECT_THAT(sent_, ElementsAre(1)) << "the other one's marker is none at port 500";
    for (const Bytes& expected : {odd, even}) {
        Bytes got(2000);
        const ssize_t size = ::recv(receiver.get(), got.data(), got.size(), MSG_DONTWAIT);
        ASSERT_GT(size, 0);
        got.resize(static_cast<std::size_t>(size));
        EXPECT_EQ(got, expected);
    }
}

TEST_F(IkeSocketTest, PoliciesOfIpsecDoNotHoldForWhatIsSent) {
    vpnha::testing::output_of(
        "ip xfrm policy add dir out src 127.0.0.1 dst 127.0.0.1 "
        "action block");
    ASSERT_TRUE(socket_->watch(true));
    const ipsec::HaHost host{parse_ip("127.0.0.1").value_or(IpAddress{}), 500};
    EXPECT_TRUE(socket_->send(host, host, ike(37, 1)));
    turn();
    EXPECT_THAT(sent_, ElementsAre(1));
}

TEST_F(IkeSocketTest, NothingElseIs) {
    ASSERT_TRUE(socket_->watch(true));
    emit(ike(35, 2), 500);
    emit(ike(37, 3), 4500);  // ESP.
    emit(ike(37, 4), 1701);
    turn();
    EXPECT_THAT(mids_, IsEmpty());
}

TEST_F(IkeSocketTest, ItIsThereOnlyWhileItIsWanted) {
    emit(ike(37, 1), 500);
    turn();
    ASSERT_TRUE(socket_->watch(true));
    ASSERT_TRUE(socket_->watch(true));
    emit(ike(37, 2), 500);
    turn();
    ASSERT_TRUE(socket_->watch(false));
    emit(ike(37, 3), 500);
    turn();
    EXPECT_THAT(mids_, ElementsAre(2));
    EXPECT_THAT(vpnha::testing::output_of("ss -0 -H -a"), IsEmpty());
}

TEST_F(IkeSocketTest, ItMayBeEndedByWhatItReports) {
    socket_.emplace(loop_, [this](const ipsec::IkePacket& packet) {
        mids_.push_back(packet.mid);
        EXPECT_TRUE(socket_->watch(false));
    });
    ASSERT_TRUE(socket_->watch(true));
    emit(ike(37, 1), 500);
    emit(ike(37, 2), 500);
    turn();
    EXPECT_THAT(mids_, ElementsAre(1));
}

}  // namespace ike_socket_test
}  // namespace vpnha::adapters
