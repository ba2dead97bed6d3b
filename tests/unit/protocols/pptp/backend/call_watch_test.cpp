// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_watch.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "protocols/pptp/model/control_message.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace call_watch_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vpnha::testing::ip;
using vpnha::testing::ip_command;

constexpr GatewayId kId{7};
constexpr std::uint16_t kPort = 1723;

sockaddr_in socket_address(std::string_view address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    result.sin_addr.s_addr = htonl(ip(address).value);
    return result;
}

class CallWatchTest : public vpnha::testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
        server_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in vip = socket_address("192.0.2.100", kPort);
        const int on = 1;
        ::setsockopt(server_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ASSERT_EQ(::bind(server_.get(), reinterpret_cast<const sockaddr*>(&vip), sizeof vip), 0);
        ASSERT_EQ(::listen(server_.get(), 5), 0);
    }

    // A control connection of the peer, accepted.
    void dial() {
        in_peer([this] {
            client_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            const sockaddr_in vip = socket_address("192.0.2.100", kPort);
            EXPECT_EQ(::connect(client_.get(), reinterpret_cast<const sockaddr*>(&vip), sizeof vip),
                      0);
        });
        sockaddr_in from{};
        socklen_t length = sizeof from;
        accepted_.reset(::accept(server_.get(), reinterpret_cast<sockaddr*>(&from), &length));
        ASSERT_TRUE(accepted_);
        peer_end_ = {Ipv4Address{ntohl(from.sin_addr.s_addr)}, ntohs(from.sin_port)};
    }
    [[nodiscard]] pptp::CallKey key() const {
        return {.local = {ip("192.0.2.100"), kPort},
                .peer = peer_end_,
                .id = pptp::CallId{128},
                .peer_id = pptp::CallId{7}};
    }
    void pass(Duration time) {
        loop_.set_timer(99, QbLoop::now() + time, [this] { loop_.stop(); });
        loop_.run();
    }

    QbLoop loop_;
    UniqueFd server_;
    UniqueFd client_;
    UniqueFd accepted_;
    Ipv4Endpoint peer_end_;
    std::vector<pptp::CallState> notified_;
    std::vector<std::pair<Ipv4Endpoint, bool>> ends_;
    std::function<void()> on_end_ = [] {};
    CallWatch watch_{loop_,
                     {.notify = 1, .settle = 2, .reopen = 3},
                     {.on_numbers =
                          [this](GatewayId, std::span<const pptp::CallState> calls) {
                              notified_.assign(calls.begin(), calls.end());
                          },
                      .on_end =
                          [this](GatewayId, const Ipv4Endpoint& peer, bool meant) {
                              ends_.emplace_back(peer, meant);
                              on_end_();
                          }}};
};

TEST_F(CallWatchTest, KnowsWhatTheHandshakeAgreedOnAndReportsNumbersThatChange) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    dial();
    pass(100ms);
    EXPECT_THAT(ends_, ElementsAre(std::pair(peer_end_, false)));
    const auto options = watch_.options_of(kId, peer_end_);
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->mss, 1460);
    EXPECT_TRUE(options->window_scaling && options->sack && options->timestamps);
    const pptp::CallNumbers begun = watch_.follow(kId, key());
    ASSERT_EQ(::write(accepted_.get(), "0123456789", 10), 10);
    pass(200ms);
    ASSERT_THAT(notified_, SizeIs(1));
    EXPECT_EQ(notified_[0].numbers.snd_nxt, begun.snd_nxt + 10);
    EXPECT_EQ(notified_[0].numbers.rcv_nxt, begun.rcv_nxt);
    notified_.clear();
    pass(200ms);
    EXPECT_THAT(notified_, IsEmpty()) << "nothing has changed";
    client_.reset();
    pass(100ms);
    EXPECT_EQ(ends_.back(), std::pair(peer_end_, true)) << "the client means to end it";
}

// A successor cannot tell a hang-up that it does not know of from an echo: both have 16 octets.
TEST_F(CallWatchTest, ReportsAHangUpAtOnce) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    dial();
    pass(100ms);
    static_cast<void>(watch_.follow(kId, key()));
    pass(200ms);
    notified_.clear();
    ends_.clear();
    on_end_ = [this] { loop_.stop(); };
    const Bytes message = pptp::build_call_clear_request(pptp::CallId{7});
    ASSERT_EQ(::write(client_.get(), message.data(), message.size()),
              static_cast<ssize_t>(message.size()));
    loop_.run();
    EXPECT_THAT(ends_, ElementsAre(std::pair(peer_end_, true)));
    ASSERT_THAT(notified_, SizeIs(1));
    EXPECT_TRUE(notified_[0].numbers.hung_up);
}

TEST_F(CallWatchTest, SettledNumbersHaveAllThatWasSentBefore) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    dial();
    pass(100ms);
    const pptp::CallNumbers begun = watch_.follow(kId, key());
    ASSERT_EQ(::write(accepted_.get(), "0123456789", 10), 10);
    std::vector<pptp::CallState> settled;
    watch_.settle(kId, [&](std::span<const pptp::CallState> calls) {
        settled.assign(calls.begin(), calls.end());
        loop_.stop();
    });
    EXPECT_THAT(settled, IsEmpty()) << "not from within the call";
    loop_.run();
    ASSERT_THAT(settled, SizeIs(1));
    EXPECT_EQ(settled[0].numbers.snd_nxt, begun.snd_nxt + 10);
}

TEST_F(CallWatchTest, NumbersSettleThoughMoreIsSentAllTheTime) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    dial();
    pass(100ms);
    const pptp::CallNumbers begun = watch_.follow(kId, key());
    const int at_once = 1;
    ASSERT_EQ(::setsockopt(accepted_.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once), 0);
    std::uint32_t sent = 0;
    std::function<void()> send = [&] {
        ASSERT_EQ(::write(accepted_.get(), "0", 1), 1);
        ++sent;
        loop_.set_timer(98, QbLoop::now() + 1ms, send);
    };
    send();
    pass(20ms);
    const std::uint32_t sent_before = sent;
    std::vector<pptp::CallState> settled;
    watch_.settle(kId, [&](std::span<const pptp::CallState> calls) {
        settled.assign(calls.begin(), calls.end());
        loop_.stop();
    });
    loop_.run();
    loop_.cancel_timer(98);
    ASSERT_THAT(settled, SizeIs(1));
    EXPECT_GE(settled[0].numbers.snd_nxt - begun.snd_nxt, sent_before);
}

TEST_F(CallWatchTest, NumbersSettleThoughTheGatewayIsWatchedAnewMeanwhile) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    dial();
    pass(100ms);
    static_cast<void>(watch_.follow(kId, key()));
    bool has_settled = false;
    watch_.settle(kId, [&](std::span<const pptp::CallState>) {
        has_settled = true;
        loop_.stop();
    });
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    EXPECT_FALSE(has_settled) << "not from within a call";
    loop_.run();
    EXPECT_TRUE(has_settled);
}

TEST_F(CallWatchTest, WatchesADeviceThatComesBack) {
    watch_.watch(kId, "out0", ip("192.0.2.100"));
    ASSERT_TRUE(ip_command("link del out0"));
    pass(50ms);
    plug_outside();
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
    pass(1200ms);
    dial();
    pass(100ms);
    EXPECT_TRUE(watch_.options_of(kId, peer_end_).has_value());
    watch_.unwatch(kId);
    EXPECT_FALSE(watch_.options_of(kId, peer_end_).has_value());
}

}  // namespace call_watch_test
}  // namespace vpnha::adapters
