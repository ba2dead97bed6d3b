// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/l2tp_dial.hpp"

#include <gmock/gmock.h>

#include "ppp_server.hpp"
#include "support/l2tp_builder.hpp"

namespace vpnha::probe {
namespace l2tp_dial_test {

using l2tp::MessageType;
using ppp_server::account_of;
using ppp_server::address_option;
using ppp_server::Code;
using ppp_server::frame;
using ppp_server::kGivenAddress;
using ppp_server::kServerAddress;
using ppp_server::lcp_request;
using ppp_server::Protocol;
using ppp_server::reply_to;
using test::describe;
using test::L2tpPacket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint16_t kOurTunnel = 0x1235;
constexpr std::uint16_t kOurSession = 0x2347;
constexpr std::uint16_t kTheirTunnel = 0x77;
constexpr std::uint16_t kTheirSession = 0x88;

L2tpPacket message(MessageType type, std::uint16_t ns, std::uint16_t nr) {
    return L2tpPacket(type)
        .to(kOurTunnel, type == MessageType::icrp ? kOurSession : 0)
        .numbers(ns, nr);
}
Bytes zlb(std::uint16_t ns, std::uint16_t nr) {
    return L2tpPacket().to(kOurTunnel).numbers(ns, nr).bytes();
}
Bytes sccrp() {
    return message(MessageType::sccrp, 0, 1).u16(9, kTheirTunnel).bytes();
}
Bytes icrp() {
    return message(MessageType::icrp, 1, 3).u16(14, kTheirSession).bytes();
}

// As the kernel of a server sends it: with a length or without one, with numbers or without them.
Bytes data(const Bytes& ppp, std::uint16_t flags = 0x0002, std::uint16_t session = kOurSession) {
    ByteWriter writer;
    writer.u16(flags);
    const std::size_t length_at = writer.size();
    if ((flags & 0x4000) != 0) {
        writer.u16(0);
    }
    writer.u16(kOurTunnel).u16(session);
    if ((flags & 0x0800) != 0) {
        writer.u32(0x00010002);
    }
    if ((flags & 0x0200) != 0) {
        writer.u16(3).bytes(Bytes{9, 9, 9});
    }
    writer.u16(0xff03).bytes(ppp);
    if ((flags & 0x4000) != 0) {
        writer.patch_u16(length_at, static_cast<std::uint16_t>(writer.size()));
    }
    return std::move(writer).take();
}

class Dial {
  public:
    void take(const Bytes& datagram) {
        const auto taken = dial.on_datagram(datagram);
        EXPECT_TRUE(taken) << taken.error().detail;
    }
    std::vector<std::string> control_answers() {
        std::vector<std::string> all;
        for (const Bytes& each : dial.take_answers()) {
            all.push_back(describe(each));
        }
        return all;
    }
    // The PPP frame of the request.
    [[nodiscard]] Bytes asked() const {
        const Bytes& request = dial.request();
        return request.size() < 10 ? Bytes{} : Bytes(request.begin() + 10, request.end());
    }
    void acknowledge() {
        const auto of = ppp_server::open(asked());
        take(data(frame(of.protocol, Code::configure_ack, of.id, of.data)));
    }
    void reach_ppp() {
        take(sccrp());
        take(zlb(1, 2));
        take(icrp());
        take(zlb(2, 4));
        ASSERT_EQ(dial.step(), "lcp");
        static_cast<void>(dial.take_answers());
    }
    void reach_hang_up() {
        reach_ppp();
        take(data(lcp_request(1, {})));
        acknowledge();
        take(data(
            frame(Protocol::ipcp, Code::configure_request, 1, address_option(kServerAddress))));
        take(data(frame(Protocol::ipcp, Code::configure_nak, ppp_server::open(asked()).id,
                        address_option(kGivenAddress))));
        acknowledge();
        ASSERT_EQ(dial.step(), "ping");
        take(data(reply_to(asked())));
        ASSERT_EQ(dial.step(), "hang_up");
        static_cast<void>(dial.take_answers());
    }

    L2tpDial dial{{TunnelId{kOurTunnel}, SessionId{kOurSession}},
                  PppLogin(account_of(), {.challenge = {}, .ping = 7}, {})};
};

TEST(L2tpDialTest, SetsUpATunnelAndACallOneMessageAtATime) {
    Dial one;
    EXPECT_EQ(describe(one.dial.request()), "SCCRQ ns 0 nr 0");
    one.take(sccrp());
    EXPECT_EQ(one.dial.step(), "scccn");
    EXPECT_THAT(one.control_answers(), ElementsAre("ZLB ns 1 nr 1"));
    EXPECT_EQ(describe(one.dial.request()), "SCCCN ns 1 nr 1");
    one.take(zlb(1, 2));
    EXPECT_EQ(one.dial.step(), "icrq");
    EXPECT_EQ(describe(one.dial.request()), "ICRQ ns 2 nr 1");
    EXPECT_EQ(test::open_datagram(one.dial.request()).assigned_session, kOurSession);
    one.take(icrp());
    EXPECT_EQ(one.dial.step(), "iccn");
    EXPECT_EQ(describe(one.dial.request()), "ICCN to 136 ns 3 nr 2");
    EXPECT_THAT(one.control_answers(), ElementsAre("ZLB ns 3 nr 2"));
    one.take(zlb(2, 4));
    EXPECT_EQ(one.dial.step(), "lcp");
    EXPECT_THAT(one.dial.request(), IsEmpty());
    one.dial.repeat();
    EXPECT_EQ(to_hex(ByteView(one.dial.request()).first(10)),
              "4002"
              "0010"
              "0077"
              "0088"
              "ff03");
}

TEST(L2tpDialTest, EndsWithAStopThatIsAcknowledged) {
    Dial one;
    one.reach_hang_up();
    one.take(data(frame(Protocol::lcp, Code::terminate_ack, ppp_server::open(one.asked()).id)));
    EXPECT_EQ(one.dial.step(), "stopccn");
    EXPECT_EQ(describe(one.dial.request()), "StopCCN result 1 ns 4 nr 2");
    one.take(message(MessageType::cdn, 2, 4).u16(1, 1).u16(14, kTheirSession).bytes());
    EXPECT_THAT(one.control_answers(), ElementsAre("ZLB ns 5 nr 3"));
    EXPECT_FALSE(one.dial.is_over());
    one.take(zlb(3, 5));
    EXPECT_TRUE(one.dial.is_over());
    EXPECT_THAT(one.dial.closing_message(), IsEmpty());
}

TEST(L2tpDialTest, ACallOrATunnelThatEndsWithTheLinkIsAnEnd) {
    Dial call;
    call.reach_hang_up();
    call.take(message(MessageType::cdn, 2, 4).u16(1, 1).u16(14, kTheirSession).bytes());
    EXPECT_EQ(call.dial.step(), "stopccn");
    call.take(message(MessageType::stopccn, 3, 4).u16(9, kTheirTunnel).u16(1, 1).bytes());
    EXPECT_TRUE(call.dial.is_over());
    EXPECT_THAT(call.dial.closing_message(), IsEmpty());
}

TEST(L2tpDialTest, RefusalsNameTheStep) {
    Dial tunnel;
    const auto of_tunnel =
        tunnel.dial.on_datagram(message(MessageType::stopccn, 0, 1).u16(1, 2).bytes());
    ASSERT_FALSE(of_tunnel);
    EXPECT_EQ(of_tunnel.error().detail, "ends the tunnel at 'sccrq': StopCCN, result 2, error 0");
    Dial call;
    call.take(sccrp());
    call.take(zlb(1, 2));
    const auto of_call = call.dial.on_datagram(
        L2tpPacket(MessageType::cdn).to(kOurTunnel, kOurSession).numbers(1, 3).u16(1, 4).bytes());
    ASSERT_FALSE(of_call);
    EXPECT_EQ(of_call.error().code, Errc::unreachable);
    EXPECT_EQ(of_call.error().detail, "ends the call at 'icrq': CDN, result 4, error 0");
    EXPECT_EQ(describe(call.dial.closing_message()), "StopCCN result 1 ns 3 nr 2");
    Dial login;
    login.reach_ppp();
    login.take(data(lcp_request(1)));
    login.acknowledge();
    const auto of_login = login.dial.on_datagram(data(frame(Protocol::chap, 4, 1)));
    ASSERT_FALSE(of_login);
    EXPECT_EQ(of_login.error().detail, "refuses the login of 'probe'");
    EXPECT_EQ(describe(login.dial.closing_message()), "StopCCN result 1 ns 4 nr 2");
    Dial secret;
    const auto of_secret = secret.dial.on_datagram(
        message(MessageType::sccrp, 0, 1).u16(9, kTheirTunnel).u16(11, 0x5a5a).bytes());
    ASSERT_FALSE(of_secret);
    EXPECT_EQ(of_secret.error().code, Errc::unsupported);
}

TEST(L2tpDialTest, WhatIsOfAnotherSessionOrTooEarlyChangesNothing) {
    Dial one;
    const Bytes early = data(lcp_request(1));
    one.take(early);
    one.take(L2tpPacket(MessageType::sccrp).to(kOurTunnel + 1).numbers(0, 1).u16(9, 1).bytes());
    one.take(message(MessageType::sccrp, 1, 1).u16(9, kTheirTunnel).bytes());
    one.take(message(MessageType::icrp, 5, 1).u16(14, kTheirSession).bytes());
    EXPECT_EQ(one.dial.step(), "sccrq");
    EXPECT_THAT(one.dial.take_answers(), IsEmpty());
    one.take(sccrp());
    one.take(sccrp());
    EXPECT_EQ(one.dial.step(), "scccn");
    EXPECT_THAT(one.control_answers(), ElementsAre("ZLB ns 1 nr 1", "ZLB ns 2 nr 1"))
        << "a copy is acknowledged, and not taken";
    one.take(zlb(1, 1));
    EXPECT_EQ(one.dial.step(), "scccn");
    Dial live;
    live.reach_ppp();
    live.take(data(lcp_request(1), 0x0002, std::uint16_t{kOurSession + 1}));
    live.take(data(lcp_request(1), 0x0003));
    live.take({0x40, 0x02, 0xff, 0xff, 0x12, 0x35});
    EXPECT_THAT(live.dial.take_answers(), IsEmpty());
}

TEST(L2tpDialTest, ReadsEachFormOfADataMessage) {
    for (const std::uint16_t flags :
         std::initializer_list<std::uint16_t>{2, 0x4002, 0x0802, 0x4a02}) {
        Dial one;
        one.reach_ppp();
        one.take(data(lcp_request(1), flags));
        const auto answers = one.dial.take_answers();
        ASSERT_EQ(answers.size(), 1U) << flags;
        const auto answer = ppp_server::open(Bytes(answers[0].begin() + 10, answers[0].end()));
        EXPECT_EQ(answer.code, Code::configure_ack) << flags;
    }
}

TEST(L2tpDialTest, AnUnansweredTunnelIsTakenBackByOurId) {
    Dial one;
    const Bytes last = one.dial.closing_message();
    EXPECT_EQ(describe(last), "StopCCN result 1 ns 1 nr 0");
    EXPECT_EQ(test::open_datagram(last).header.tunnel, TunnelId{});
}

}  // namespace l2tp_dial_test
}  // namespace vpnha::probe
