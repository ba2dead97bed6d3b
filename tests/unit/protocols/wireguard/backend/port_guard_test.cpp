// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/port_guard.hpp"

#include <gmock/gmock.h>

#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace port_guard_test {

using ::testing::HasSubstr;
using testing::ip_command;
using testing::output_of;
using testing::prefix;

constexpr std::uint16_t kPort = 51'820;

PortGuard sample() {
    return {.table = "vpnha_wireguard_7",
            .port = kPort,
            .vips = {prefix("192.0.2.100/24"), prefix("198.51.100.100/24")}};
}

TEST(GuardRulesetTest, WithoutAVipOfAFamilyNothingOfItPasses) {
    EXPECT_THAT(guard_ruleset(sample()),
                HasSubstr("meta nfproto ipv4 udp dport 51820 ip daddr != { 192.0.2.100, "
                          "198.51.100.100 } counter drop\n"
                          "meta nfproto ipv6 udp dport 51820 counter drop\n"));
}

// The node has a VIP, and a socket like that of WireGuard.
class PortGuardTest : public testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
        socket_ = bound_to("0.0.0.0");
    }
    static UniqueFd bound_to(const char* own) {
        UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const int on = 1;
        const sockaddr_in here = address(own);
        EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
        return fd;
    }
    static bool can_send(const char* from) {
        const sockaddr_in peer = address("192.0.2.51");
        return sendto(bound_to(from).get(), "", 1, 0, reinterpret_cast<const sockaddr*>(&peer),
                      sizeof peer) == 1;
    }
    static sockaddr_in address(const char* text) {
        sockaddr_in result{};
        result.sin_family = AF_INET;
        result.sin_port = htons(kPort);
        result.sin_addr.s_addr = htonl(testing::ip(text).value);
        return result;
    }
    // Whether a datagram of the peer arrives. What follows it to the VIP has arrived then as well.
    bool is_answering(const char* to) {
        in_peer([to] {
            const UniqueFd from(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            for (const auto& [payload, where] :
                 {std::pair{'?', to}, std::pair{'.', "192.0.2.100"}}) {
                const sockaddr_in there = address(where);
                EXPECT_EQ(sendto(from.get(), &payload, 1, 0,
                                 reinterpret_cast<const sockaddr*>(&there), sizeof there),
                          1);
            }
        });
        bool received = false;
        for (;;) {
            pollfd ready{socket_.get(), POLLIN, 0};
            char payload = 0;
            if (poll(&ready, 1, 5'000) != 1 || recv(socket_.get(), &payload, 1, 0) != 1) {
                ADD_FAILURE() << "the VIP does not hear anything";
                return false;
            }
            if (payload == '.') {
                return received;
            }
            received = true;
        }
    }
    static bool has_table() {
        return output_of("nft list tables").find("vpnha_wireguard_7") != std::string::npos;
    }

    UniqueFd socket_;
};

TEST_F(PortGuardTest, TheVipAloneReceives) {
    EXPECT_TRUE(is_answering("192.0.2.1"));
    ASSERT_TRUE(guard_port(sample()));
    EXPECT_FALSE(is_answering("192.0.2.1"));
    EXPECT_TRUE(is_answering("192.0.2.100"));
    EXPECT_FALSE(can_send("192.0.2.1"));
    EXPECT_TRUE(can_send("192.0.2.100"));
    ASSERT_TRUE(leave_port_alone(sample()));
    EXPECT_TRUE(is_answering("192.0.2.1"));
    EXPECT_TRUE(can_send("192.0.2.1"));
    EXPECT_FALSE(has_table());
}

TEST_F(PortGuardTest, AFlushedRulesetIsMadeAgain) {
    ASSERT_TRUE(keep_port_guarded(sample()));
    EXPECT_FALSE(is_answering("192.0.2.1"));
    output_of("nft flush ruleset");
    EXPECT_TRUE(is_answering("192.0.2.1"));
    ASSERT_TRUE(keep_port_guarded(sample()));
    EXPECT_FALSE(is_answering("192.0.2.1"));
    ASSERT_TRUE(leave_port_alone(sample()));
    ASSERT_TRUE(leave_port_alone(sample())) << "once more";
}

}  // namespace port_guard_test
}  // namespace vpnha::adapters
