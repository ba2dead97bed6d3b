// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_session.hpp"

#include <gmock/gmock.h>

#include <array>

#include "protocols/l2tp/table.hpp"

namespace vpnha::runtime {
namespace plugin_session_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kEstablishedMs = 1'767'225'600'000;
constexpr std::array<std::uint8_t, 1> kIds{7};

// It makes a session of anything, and has one reason of its own.
struct FakeProtocol final : ports::PppProtocol {
    [[nodiscard]] std::string_view name() const override { return "l2tp"; }
    [[nodiscard]] bool serves(const config::Gateway& gateway) const override {
        return gateway.protocols.has("l2tp");
    }
    [[nodiscard]] Result<Session> on_session_up(const Report& report) override {
        if (report.ids.empty()) {
            return fail(Errc::malformed, "no ids");
        }
        return Session{{{}, {}, report.facts, {}}, own_reason};
    }
    std::string own_reason;
};

class PluginSessionTest : public ::testing::Test {
  protected:
    PluginSessionTest() {
        config::Gateway gateway;
        gateway.name = "dialin";
        gateway.id = GatewayId{1};
        gateway.outside = {"eth0", {prefix("192.0.2.100/24")}};
        gateway.inside = {"eth1", {prefix("198.51.100.100/24")}};
        gateway.pools = {prefix("198.51.100.192/26")};
        gateway.protocols.serve<l2tp::Table>();
        config_.gateways = {gateway};
        up_.gateway = "dialin";
        up_.protocol = "l2tp";
        up_.ids = kIds;
        up_.facts.mtu = 1280;
        up_.facts.peer_address = Ipv4Address{0xc63364c8};  // 198.51.100.200
    }
    static IpPrefix prefix(std::string_view text) {
        return parse_ip_prefix(text).value_or(IpPrefix{});
    }
    Result<ports::PppProtocol::Session> session() {
        return plugin_session(1, up_, config_, {}, {&protocol_}, kEstablishedMs);
    }
    ports::PppProtocol::Session news() {
        auto news = session();
        EXPECT_TRUE(news);
        return news.value_or(ports::PppProtocol::Session{});
    }
    std::string error() {
        const auto news = session();
        return news ? std::string() : news.error().detail;
    }
    FakeProtocol protocol_;
    config::Config config_;
    adapters::PluginSessionUp up_;
};

TEST_F(PluginSessionTest, AProxiedAddressIsOfTheSideThatHasTheDevice) {
    up_.proxied = {{prefix("198.51.100.200/32").address, "eth1"},
                   {prefix("198.51.100.201/32").address, "eth0"}};
    const ports::PppProtocol::Session notified = news();
    EXPECT_THAT(notified.not_resumable, IsEmpty());
    EXPECT_EQ(notified.session.facts.mtu, 1280);
    EXPECT_EQ(notified.session.facts.established_unix_ms, kEstablishedMs);
    EXPECT_THAT(notified.session.facts.proxied,
                ElementsAre(ppp::ProxiedAddress{LinkSide::inside, up_.proxied[0].address},
                            ppp::ProxiedAddress{LinkSide::outside, up_.proxied[1].address}));
}

TEST_F(PluginSessionTest, ItsRateIsTheServersTheUsersOrTheGateways) {
    const Rate server{1'000'000, 1'000'000};
    const Rate user{2'000'000, 2'000'000};
    const Rate fallback{3'000'000, 3'000'000};
    ASSERT_TRUE(up_.rate.take(RateAttribute::filter_id, to_bytes("1000")));
    up_.facts.user = "alice";
    EXPECT_EQ(news().session.facts.rate, Rate{}) << "a Filter-Id is for somebody else";
    config::Bandwidth& bandwidth = config_.gateways[0].bandwidth;
    bandwidth.fallback = fallback;
    bandwidth.users = {{"bob", {}}, {"alice", user}};
    EXPECT_EQ(news().session.facts.rate, user);
    up_.facts.user = "carol";
    EXPECT_EQ(news().session.facts.rate, fallback);
    up_.facts.user = "bob";
    EXPECT_EQ(news().session.facts.rate, Rate{});
    bandwidth.by_radius = true;
    EXPECT_EQ(news().session.facts.rate, server);
    up_.rate = {};
    EXPECT_EQ(news().session.facts.rate, Rate{});
}

TEST_F(PluginSessionTest, WhatNoOtherNodeCouldAnswerForIsAReason) {
    up_.proxied = {{prefix("198.51.100.200/32").address, "docker0"}};
    EXPECT_THAT(news().not_resumable, AllOf(HasSubstr("198.51.100.200"), HasSubstr("docker0")));
    EXPECT_THAT(news().session.facts.proxied, IsEmpty());
    up_.proxied = {{prefix("198.51.100.7/32").address, "eth1"}};
    EXPECT_THAT(news().not_resumable, AllOf(HasSubstr("198.51.100.7"), HasSubstr("pools")));
    EXPECT_THAT(news().session.facts.proxied, IsEmpty());
}

TEST_F(PluginSessionTest, OneThatNoGatewayKeepsIsAnError) {
    up_.gateway.clear();
    EXPECT_THAT(error(), HasSubstr("vpnha_gateway"));
    up_.gateway = "dailin";
    EXPECT_THAT(error(), HasSubstr("no gateway 'dailin'"));
    up_.gateway = "dialin";
    up_.protocol = "pptp";
    EXPECT_THAT(error(), HasSubstr("[pptp]")) << "nobody has it";
    up_.protocol = "l2tp";
    config_.gateways[0].protocols = {};
    EXPECT_THAT(error(), HasSubstr("[l2tp]")) << "this gateway does not have it";
    up_.protocol = adapters::kOtherProtocol;
    up_.not_resumable = {"user space"};
    EXPECT_EQ(error(), "user space");
}

TEST_F(PluginSessionTest, ItsProtocolMakesItAndMayHaveAReason) {
    up_.not_resumable = {"its novj"};
    protocol_.own_reason = "its begin was not seen";
    EXPECT_EQ(news().not_resumable, "its novj; its begin was not seen");
    up_.ids = {};
    EXPECT_EQ(error(), "no ids");
}

TEST_F(PluginSessionTest, WhatScriptsHaveDoneIsAReasonUnlessTheyRunAgain) {
    up_.not_resumable = {"its novj"};
    up_.done_by_scripts = {"its queue"};
    EXPECT_THAT(news().not_resumable,
                AllOf(HasSubstr("its novj; its queue"), HasSubstr("resume_scripts")));
    config_.gateways[0].resume_scripts = true;
    EXPECT_EQ(news().not_resumable, "its novj");
}

}  // namespace plugin_session_test
}  // namespace vpnha::runtime
