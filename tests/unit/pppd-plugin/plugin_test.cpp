// SPDX-License-Identifier: GPL-2.0-or-later
// The plugin in a pppd of pretence, and what a vpnhad reads from its socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "host/os/boot_clock.hpp"
#include "host/os/unix_socket.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/backend/plugin_message.hpp"
#include "protocols/pptp/model/call_record.hpp"
#include "support/temporary_path.hpp"

extern "C" {
#include "unit/pppd-plugin/fake_pppd.h"
}

namespace vpnha {
namespace plugin_test {

using adapters::PluginExit;
using adapters::PluginMessage;
using adapters::PluginSessionDown;
using adapters::PluginSessionUp;
using adapters::UniqueFd;
using adapters::UnixListener;
using testing::HasSubstr;

constexpr Ipv4Endpoint kLocal{Ipv4Address{0xc0000264}, 1701};
constexpr std::uint16_t kCcp = 0x80fd;
constexpr std::uint16_t kIpv6cp = 0x8057;
// pppd's MPPE_OPT_….
constexpr int kMppe128 = 2;
constexpr int kMppeStateful = 4;

class PppdPluginTest : public testing::Test {
  protected:
    void SetUp() override {
        path_ = temporary_path("plugin.sock");
        listen();
        fake_pppd_start("dialin", path_.c_str(), 0);
        fake_pppd_negotiate();
    }
    void TearDown() override {
        fake_pppd_ip_down();
        fake_pppd_exit();
    }

    void listen() {
        Result<UnixListener> opened =
            UnixListener::open({path_, SOCK_SEQPACKET, 0600, std::nullopt});
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        listener_.emplace(std::move(*opened));
    }

    void accept() {
        std::optional<UniqueFd> fd = listener_->accept();
        ASSERT_TRUE(fd.has_value());
        connection_ = std::move(*fd);
    }

    // The next message, nothing when there is none.
    std::optional<PluginMessage> receive() {
        message_.assign(4096, 0);
        const ssize_t length =
            ::recv(connection_.get(), message_.data(), message_.size(), MSG_DONTWAIT);
        if (length <= 0) {
            return std::nullopt;
        }
        message_.resize(static_cast<std::size_t>(length));
        Result<PluginMessage> message = adapters::parse_plugin_message(message_);
        EXPECT_TRUE(message.has_value()) << message.error().detail;
        return message ? std::optional<PluginMessage>(std::move(*message)) : std::nullopt;
    }

    std::optional<PluginSessionUp> receive_up() {
        std::optional<PluginMessage> message = receive();
        auto* const up = message ? std::get_if<PluginSessionUp>(&*message) : nullptr;
        return up == nullptr ? std::nullopt : std::optional<PluginSessionUp>(std::move(*up));
    }

    void answer(std::string_view reason) {
        const Bytes bytes = adapters::encode_plugin_verdict(reason);
        EXPECT_GT(::send(connection_.get(), bytes.data(), bytes.size(), 0), 0);
    }

    std::string path_;
    std::optional<UnixListener> listener_;
    UniqueFd connection_;
    Bytes message_;  // The last one; keys are views of it.
};

TEST_F(PppdPluginTest, ReportsAllOfTheSessionAtIpUp) {
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->gateway, "dialin");
    EXPECT_EQ(up->pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_TRUE(up->not_resumable.empty());
    EXPECT_EQ(up->protocol, "l2tp");
    const auto key = l2tp::parse_plugin_ids(up->ids, kLocal);
    ASSERT_TRUE(key.has_value()) << key.error().detail;
    EXPECT_EQ(to_string(key->tunnel.peer), "192.0.2.51:1701");
    const ppp::SessionFacts& facts = up->facts;
    EXPECT_EQ(facts.ours, (ppp::LinkOptions{1410, 0xdeadbeef, 0, true, false}));
    // The peer negotiated nothing: RFC 1661's and 1662's defaults, not pppd's leftovers.
    EXPECT_EQ(facts.theirs, (ppp::LinkOptions{1500, 0, 0xffffffff, false, false}));
    EXPECT_EQ(to_string(facts.our_address), "10.200.0.1");
    EXPECT_EQ(to_string(facts.peer_address), "10.200.1.10");
    EXPECT_EQ(facts.echo_interval_s, 30);
    EXPECT_EQ(facts.echo_failures, 4);
    EXPECT_TRUE(facts.echo_is_adaptive);
    EXPECT_EQ(facts.timeouts, (ppp::Timeouts{7200, 900}));
    EXPECT_EQ(facts.user, "alice");
    EXPECT_EQ(facts.interface, "ppp0");
    EXPECT_EQ(facts.mtu, 1396);
    const auto age = adapters::boot_time().time_since_epoch() -
                     std::chrono::milliseconds(up->established_boot_ms);
    EXPECT_LT(age, std::chrono::seconds(10));
}

// The class of CVE-2020-8597: a name that fills pppd's buffer, of any octets.
TEST_F(PppdPluginTest, ReportsTheLongestName) {
    std::string name;
    for (int octet = 1; octet <= 255; ++octet) {
        name += static_cast<char>(octet);
    }
    fake_pppd_name_peer((name + "and more").c_str());
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->facts.user, name);
    EXPECT_EQ(up->facts.interface, "ppp0");
}

TEST_F(PppdPluginTest, ReportsTheIntervalOfInterimsThatRadiusGave) {
    for (const auto& [given, notified] : {std::pair{900U, 900U}, {5U, 60U}, {0U, 0U}}) {
        fake_pppd_authenticate_by_radius("", "", given);
        fake_pppd_ip_up();
        if (connection_.get() < 0) {
            accept();
        }
        const std::optional<PluginSessionUp> up = receive_up();
        ASSERT_TRUE(up.has_value());
        EXPECT_EQ(up->radius.interim_s, notified);
    }
}

TEST_F(PppdPluginTest, ReportsTheClassesThatRadiusGave) {
    fake_pppd_authenticate_by_radius("gold", "", 0);
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(up->radius.classes, testing::ElementsAre(Bytes{'g', 'o', 'l', 'd'}, Bytes{}));
}

TEST_F(PppdPluginTest, ReportsThePrefixesThatRadiusGave) {
    const Bytes octets{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x51, 0xff, 0xff};
    fake_pppd_give_prefix_by_radius(0, 0, nullptr, 0);
    // Octets that are missing, a length that is none, and another attribute.
    fake_pppd_give_prefix_by_radius(97, 65, octets.data(), 8);
    fake_pppd_give_prefix_by_radius(123, 0, octets.data(), 8);
    fake_pppd_give_prefix_by_radius(100, 48, octets.data(), 8);
    fake_pppd_give_prefix_by_radius(123, 50, octets.data(), 7);
    fake_pppd_ip_up();
    accept();
    std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    using Kind = RadiusPrefix::Kind;
    EXPECT_THAT(up->radius.prefixes,
                testing::ElementsAre(
                    RadiusPrefix{Kind::delegated, *parse_ip_prefix("2001:db8:51:c000::/50")}));
    EXPECT_TRUE(up->facts.routes.empty()) << "IPv6CP is not open";
    fake_pppd_ip_down();
    EXPECT_TRUE(receive().has_value());
    fake_pppd_give_prefix_by_radius(0, 0, nullptr, 0);
    fake_pppd_give_prefix_by_radius(97, 64, octets.data(), 8);
    fake_pppd_give_prefix_by_radius(123, 48, octets.data(), 8);
    fake_pppd_give_prefix_by_radius(123, 56, octets.data(), 8);
    fake_pppd_ip_up();
    up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(
        up->radius.prefixes,
        testing::ElementsAre(RadiusPrefix{Kind::framed, *parse_ip_prefix("2001:db8:51:ffff::/64")},
                             RadiusPrefix{Kind::delegated, *parse_ip_prefix("2001:db8:51::/48")}))
        << "two at most";
    fake_pppd_authenticate_by_radius("", "", 0);
}

TEST_F(PppdPluginTest, ReportsTheRateThatRadiusGave) {
    fake_pppd_limit_by_radius("20000/1000", 5'000'000);
    fake_pppd_ip_up();
    accept();
    std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->rate.rate(), (Rate{20'000'000, 5'000'000}));
    fake_pppd_ip_down();
    EXPECT_TRUE(receive().has_value());
    // Of the next authentication alone.
    fake_pppd_authenticate_by_radius("", "", 0);
    fake_pppd_ip_up();
    up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->rate.rate(), std::nullopt);
}

TEST_F(PppdPluginTest, ReportsTheRateThatVpnhadHasReportedSince) {
    fake_pppd_limit_by_radius("20000/1000", 5'000'000);
    fake_pppd_ip_up();
    accept();
    ASSERT_TRUE(receive_up().has_value());
    const Bytes change = adapters::encode_plugin_change({0, 0}, Rate{64'000, 0});
    ASSERT_GT(::send(connection_.get(), change.data(), change.size(), 0), 0);
    fake_pppd_run_timer();
    connection_.reset();
    // vpnhad comes back, and knows nothing.
    std::optional<PluginSessionUp> up;
    for (int turn = 0; turn < 4 && !up; ++turn) {
        fake_pppd_run_timer();
        if (auto fd = listener_->accept()) {
            connection_ = std::move(*fd);
            up = receive_up();
        }
    }
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->rate.rate(), (Rate{64'000, 0}));
}

TEST_F(PppdPluginTest, ReportsWhyASessionIsOver) {
    struct Case {
        int status;
        EndCause cause;
    };
    for (const Case& each : {Case{0, EndCause::user_request}, Case{5, EndCause::user_request},
                             Case{12, EndCause::idle_timeout}, Case{13, EndCause::session_timeout},
                             Case{15, EndCause::lost_carrier}, Case{16, EndCause::lost_carrier},
                             Case{20, EndCause::nas_request}, Case{1, EndCause::nas_error}}) {
        fake_pppd_ip_up();
        if (connection_.get() < 0) {
            accept();
        }
        ASSERT_TRUE(receive_up().has_value());
        fake_pppd_set_status(each.status);
        fake_pppd_ip_down();
        const auto message = receive();
        ASSERT_TRUE(message && std::holds_alternative<PluginSessionDown>(*message));
        const auto& down = std::get<PluginSessionDown>(*message);
        EXPECT_EQ(down.cause, each.cause) << each.status;
        // There is no ppp0 here.
        EXPECT_FALSE(down.traffic.has_value());
    }
}

TEST_F(PppdPluginTest, ReportsWhatTheDeviceHasCounted) {
    fake_pppd_use_device("lo");
    fake_pppd_ip_up();
    accept();
    ASSERT_TRUE(receive_up().has_value());
    fake_pppd_ip_down();
    const auto message = receive();
    ASSERT_TRUE(message && std::holds_alternative<PluginSessionDown>(*message));
    const auto& traffic = std::get<PluginSessionDown>(*message).traffic;
    ASSERT_TRUE(traffic.has_value());
    EXPECT_EQ(traffic->octets_in, traffic->octets_out);
    EXPECT_EQ(traffic->packets_in, traffic->packets_out);
}

TEST_F(PppdPluginTest, ReportsAllOfAPptpCallWithItsKeys) {
    fake_pppd_over_pptp(kMppe128);
    fake_pppd_authenticate();
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_TRUE(up->not_resumable.empty());
    EXPECT_EQ(up->protocol, "pptp");
    const auto ids = pptp::parse_plugin_ids(up->ids, kLocal);
    ASSERT_TRUE(ids.has_value()) << ids.error().detail;
    EXPECT_EQ(to_string(ids->key), "192.0.2.51:40123 call 136/7");
    EXPECT_EQ(up->facts.mtu, 1396);
    EXPECT_EQ(ids->mppe, pptp::Mppe::bits128);
    EXPECT_EQ(to_hex(ids->keys),
              "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
              "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
}

TEST_F(PppdPluginTest, OnlyStatelessMppeWithKnownKeysContinuesElsewhere) {
    for (const auto& [mppe, authenticated] :
         {std::pair{kMppe128 | kMppeStateful, true}, std::pair{kMppe128, false}}) {
        fake_pppd_negotiate();
        fake_pppd_over_pptp(mppe);
        if (authenticated) {
            fake_pppd_authenticate();
        }
        fake_pppd_ip_up();
        accept();
        const std::optional<PluginSessionUp> up = receive_up();
        ASSERT_TRUE(up.has_value());
        EXPECT_THAT(up->not_resumable, testing::ElementsAre(HasSubstr("mppe-stateful")));
        const auto ids = pptp::parse_plugin_ids(up->ids, kLocal);
        ASSERT_TRUE(ids.has_value()) << ids.error().detail;
        EXPECT_TRUE(ids->keys.empty());
        fake_pppd_ip_down();
        fake_pppd_exit();
    }
}

TEST_F(PppdPluginTest, ReportsDownAndExit) {
    fake_pppd_ip_up();
    accept();
    receive_up();
    fake_pppd_ip_down();
    EXPECT_EQ(fake_pppd_next_timer(), -1);
    fake_pppd_exit();
    std::optional<PluginMessage> message = receive();
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(std::holds_alternative<PluginSessionDown>(*message));
    message = receive();
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(std::holds_alternative<PluginExit>(*message));
}

TEST_F(PppdPluginTest, FlagsWhatCannotBeResumed) {
    fake_pppd_require_sequencing();
    fake_pppd_open_ccp(1);
    fake_pppd_use_vj();
    fake_pppd_use_multilink();
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(up->not_resumable,
                testing::ElementsAre(HasSubstr("MPPE"), HasSubstr("novj"), HasSubstr("multilink"),
                                     HasSubstr("sequencing")));
}

TEST_F(PppdPluginTest, ReportsAgainWhenIpv6OpensLater) {
    fake_pppd_ip_up();
    accept();
    EXPECT_EQ(receive_up()->facts.ipv6, std::nullopt);
    fake_pppd_open_ipv6cp();
    fake_pppd_receive(kIpv6cp);
    fake_pppd_run_timer();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_TRUE(up->not_resumable.empty());
    EXPECT_EQ(up->facts.ipv6, (ppp::Ipv6Identifiers{1, std::uint64_t{2} << 32}));
}

TEST_F(PppdPluginTest, ACallHasIpv6Too) {
    fake_pppd_over_pptp(kMppe128);
    fake_pppd_authenticate();
    fake_pppd_open_ipv6cp();
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_TRUE(up->not_resumable.empty());
    EXPECT_EQ(up->facts.ipv6, (ppp::Ipv6Identifiers{1, std::uint64_t{2} << 32}));
}

TEST_F(PppdPluginTest, ReportsAgainWhenCompressionOpensLater) {
    fake_pppd_ip_up();
    accept();
    receive_up();
    fake_pppd_open_ccp(0);
    fake_pppd_receive(kCcp);
    fake_pppd_run_timer();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(up->not_resumable, testing::ElementsAre(HasSubstr("noccp")));
    fake_pppd_receive(kCcp);  // Nothing changed: nothing is told.
    fake_pppd_run_timer();
    EXPECT_FALSE(receive().has_value());
}

TEST_F(PppdPluginTest, SessionComesUpWithoutVpnhadAndItIsReportedLater) {
    listener_.reset();
    fake_pppd_ip_up();
    EXPECT_THAT(fake_pppd_log(), HasSubstr("not protected"));
    int expected = 1;
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(fake_pppd_next_timer(), expected);
        fake_pppd_run_timer();
        expected = std::min(expected * 2, 60);
    }
    listen();
    fake_pppd_run_timer();
    accept();
    EXPECT_TRUE(receive_up().has_value());
    EXPECT_EQ(fake_pppd_next_timer(), 5);
}

TEST_F(PppdPluginTest, NotifiesAVpnhadThatWasRestarted) {
    fake_pppd_ip_up();
    accept();
    receive_up();
    connection_.reset();
    fake_pppd_run_timer();
    EXPECT_THAT(fake_pppd_log(), HasSubstr("closed the connection"));
    EXPECT_EQ(fake_pppd_next_timer(), 1);
    fake_pppd_run_timer();
    accept();
    EXPECT_TRUE(receive_up().has_value());
}

TEST_F(PppdPluginTest, LogsTheAnswerAlsoALateOne) {
    fake_pppd_ip_up();
    accept();
    answer("no standby");
    fake_pppd_run_timer();
    EXPECT_STREQ(fake_pppd_log(), "vpnha: session is not protected: no standby");
    answer("");
    fake_pppd_run_timer();
    EXPECT_STREQ(fake_pppd_log(), "vpnha: session is protected");
}

TEST_F(PppdPluginTest, WaitsForTheAnswerNoLongerThanItIsOrdered) {
    fake_pppd_start("dialin", path_.c_str(), 100);
    const auto before = std::chrono::steady_clock::now();
    fake_pppd_ip_up();
    const auto waited = std::chrono::steady_clock::now() - before;
    EXPECT_GE(waited, std::chrono::milliseconds(90));
    EXPECT_LT(waited, std::chrono::seconds(2));
}

TEST_F(PppdPluginTest, ReceivesTheAnswerWithinIpUp) {
    fake_pppd_start("dialin", path_.c_str(), 2000);
    std::thread vpnhad([&] {
        std::optional<UniqueFd> fd;
        while (!(fd = listener_->accept())) {
            std::this_thread::yield();
        }
        connection_ = std::move(*fd);
        answer("");
    });
    fake_pppd_ip_up();
    EXPECT_STREQ(fake_pppd_log(), "vpnha: session is protected");
    vpnhad.join();
}

// What a pppd whose options give 10.200.1.10 gives to its peer when vpnhad answers so.
class PppdAddressTest : public PppdPluginTest {
  protected:
    std::uint32_t choose(const Bytes& answer) {
        std::thread vpnhad([&] {
            std::optional<UniqueFd> fd;
            while (!(fd = listener_->accept())) {
                std::this_thread::yield();
            }
            connection_ = std::move(*fd);
            EXPECT_GT(::send(connection_.get(), answer.data(), answer.size(), 0), 0);
        });
        const std::uint32_t chosen = fake_pppd_choose(kRange);
        vpnhad.join();
        return chosen;
    }

    static constexpr std::uint32_t kRange = 0x0ac8010a;
    static constexpr std::uint32_t kGiven = 0x0ac81005;
};

TEST_F(PppdAddressTest, IsWhatVpnhadGives) {
    EXPECT_EQ(choose(adapters::encode_plugin_address(Ipv4Address{kGiven})), kGiven);
    EXPECT_EQ(fake_pppd_accepts_remote(), 0);
    const std::optional<PluginMessage> message = receive();
    ASSERT_TRUE(message.has_value());
    const auto& asks = std::get<adapters::PluginAsks>(*message);
    EXPECT_EQ(asks.gateway, "dialin");
    EXPECT_EQ(asks.user, "alice");
    EXPECT_EQ(asks.pid, static_cast<std::uint32_t>(::getpid()));
    // The session is told on the same connection.
    fake_pppd_ip_up();
    EXPECT_TRUE(receive_up().has_value());
}

TEST_F(PppdAddressTest, IsPppdsOwnWithoutAPool) {
    EXPECT_EQ(choose(adapters::encode_plugin_address({})), kRange);
    EXPECT_EQ(fake_pppd_accepts_remote(), 1) << "the client may name its own";
}

TEST_F(PppdAddressTest, IsTheUsersOwnOfTheSecretsFile) {
    fake_pppd_users_address(kRange);
    EXPECT_EQ(choose(adapters::encode_plugin_address(Ipv4Address{kGiven})), kRange);
}

TEST_F(PppdAddressTest, IsPppdsOwnWhileVpnhadIsAway) {
    listener_.reset();
    EXPECT_EQ(fake_pppd_choose(kRange), kRange);
    EXPECT_THAT(fake_pppd_log(), HasSubstr("this node's own"));
    EXPECT_EQ(fake_pppd_accepts_remote(), 1);
    EXPECT_EQ(fake_pppd_is_closed(), 0);
}

TEST_F(PppdAddressTest, IsPppdsOwnWhenVpnhadReportsNothing) {
    EXPECT_EQ(fake_pppd_choose(kRange), kRange);
}

TEST_F(PppdAddressTest, IsRadiussWhicheverPluginWasLoadedLast) {
    fake_pppd_load_radius(kGiven);
    EXPECT_EQ(fake_pppd_choose(kRange), kGiven);
    EXPECT_FALSE(listener_->accept().has_value());
}

TEST_F(PppdAddressTest, IsWhatVpnhadGivesWhereRadiusGivesNone) {
    fake_pppd_load_radius(0);
    EXPECT_EQ(choose(adapters::encode_plugin_address(Ipv4Address{kGiven})), kGiven);
}

TEST_F(PppdAddressTest, RefusedItEndsTheSession) {
    EXPECT_EQ(choose(adapters::encode_plugin_refusal("all are given")), 0U);
    EXPECT_EQ(fake_pppd_is_closed(), 0);  // Not within IPCP.
    EXPECT_THAT(fake_pppd_log(), HasSubstr("all are given"));
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_is_closed(), 1);
}

TEST_F(PppdAddressTest, OfAnotherSessionItEndsThisOne) {
    fake_pppd_ip_up();
    accept();
    const Bytes refusal = adapters::encode_plugin_refusal("another session's address");
    EXPECT_GT(::send(connection_.get(), refusal.data(), refusal.size(), 0), 0);
    fake_pppd_run_timer();
    fake_pppd_run_timer();
    EXPECT_EQ(fake_pppd_is_closed(), 1);
}

TEST_F(PppdPluginTest, WhatPppdDoesTimeAndAgainIsAReason) {
    fake_pppd_use_filter_and_rechallenge();
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(up->not_resumable,
                testing::ElementsAre(HasSubstr("pass-filter"), HasSubstr("chap-interval")));
}

TEST_F(PppdPluginTest, ReportsASessionThatNobodyCouldContinueWith) {
    fake_pppd_remove_l2tp();
    fake_pppd_ip_up();
    accept();
    std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->protocol, adapters::kOtherProtocol);
    EXPECT_THAT(up->not_resumable, testing::ElementsAre(HasSubstr("pptpd's PPTP")));
    EXPECT_EQ(to_string(up->facts.peer_address), "10.200.1.10");
}

// xl2tpd runs pppd as its child.
TEST_F(PppdPluginTest, NamesL2tpInUserSpace) {
    ASSERT_EQ(prctl(PR_SET_NAME, "xl2tpd"), 0);
    const pid_t child = fork();
    if (child == 0) {
        fake_pppd_remove_l2tp();
        fake_pppd_ip_up();
        _exit(0);
    }
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_THAT(up->not_resumable, testing::ElementsAre(HasSubstr("user space")));
}

TEST_F(PppdPluginTest, ReportsASessionWithoutAGateway) {
    fake_pppd_start(nullptr, path_.c_str(), 0);
    fake_pppd_ip_up();
    accept();
    const std::optional<PluginSessionUp> up = receive_up();
    ASSERT_TRUE(up.has_value());
    EXPECT_EQ(up->gateway, "");
}

}  // namespace plugin_test
}  // namespace vpnha
