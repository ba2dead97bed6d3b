// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ipsec/ike_socket.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <optional>
#include <vector>

#include "unit/adapters/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace ike_socket_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration kIkeTurn = std::chrono::milliseconds(50);

class IkeSocketTest : public ::testing::Test {
  protected:
    void SetUp() override {
        vpnha::testing::Namespace::enter_new();
        socket_.emplace(loop_, [this](const ipsec::IkeRequest& request) {
            mids_.push_back(request.mid);
            children_.push_back(request.makes_child);
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
    static void say(const Bytes& datagram, std::uint16_t port, bool ipv6 = false) {
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
    std::vector<bool> children_;
};

TEST_F(IkeSocketTest, RequestsAreSeenOnce) {
    ASSERT_TRUE(socket_->watch(true));
    say(ike(37, 1), 500);
    say(ike(36, 2, 0x08, true), 4500);
    say(ike(36, 3), 500, true);
    say(ike(37, 4, 0, true), 4500, true);
    turn();
    EXPECT_THAT(mids_, ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(children_, ElementsAre(false, true, true, false));
}

TEST_F(IkeSocketTest, NothingElseIs) {
    ASSERT_TRUE(socket_->watch(true));
    say(ike(37, 1, 0x28), 500);  // An answer.
    say(ike(35, 2), 500);
    say(ike(37, 3), 4500);  // ESP.
    say(ike(37, 4), 1701);
    turn();
    EXPECT_THAT(mids_, IsEmpty());
}

TEST_F(IkeSocketTest, ItIsThereOnlyWhileItIsWanted) {
    say(ike(37, 1), 500);
    turn();
    ASSERT_TRUE(socket_->watch(true));
    ASSERT_TRUE(socket_->watch(true));
    say(ike(37, 2), 500);
    turn();
    ASSERT_TRUE(socket_->watch(false));
    say(ike(37, 3), 500);
    turn();
    EXPECT_THAT(mids_, ElementsAre(2));
    EXPECT_THAT(vpnha::testing::output_of("ss -0 -H -a"), IsEmpty());
}

TEST_F(IkeSocketTest, ItMayBeEndedByWhatItTells) {
    socket_.emplace(loop_, [this](const ipsec::IkeRequest& request) {
        mids_.push_back(request.mid);
        EXPECT_TRUE(socket_->watch(false));
    });
    ASSERT_TRUE(socket_->watch(true));
    say(ike(37, 1), 500);
    say(ike(37, 2), 500);
    turn();
    EXPECT_THAT(mids_, ElementsAre(1));
}

}  // namespace ike_socket_test
}  // namespace vpnha::adapters
