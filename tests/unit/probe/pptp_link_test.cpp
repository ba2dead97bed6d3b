// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/pptp_link.hpp"

#include <gmock/gmock.h>

#include "ppp_server.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::probe {
namespace pptp_link_test {

using ppp_server::account_of;
using ppp_server::address_option;
using ppp_server::Asked;
using ppp_server::Code;
using ppp_server::frame;
using ppp_server::kGivenAddress;
using ppp_server::kServerAddress;
using ppp_server::lcp_request;
using ppp_server::open;
using ppp_server::Protocol;
using ppp_server::reply_to;
using pptp::TrialCall;
using ::testing::ElementsAre;

constexpr pptp::CallId kOurs{65'000};

Bytes control(pptp::ControlType type, const ByteWriter& body) {
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(12 + body.size())).u16(1).u32(0x1a2b3c4d);
    writer.u16(static_cast<std::uint16_t>(type)).u16(0).bytes(body.view());
    return std::move(writer).take();
}

// A server without encryption, which is asked each step of a call.
class Server {
  public:
    Server() {
        EXPECT_TRUE(call.on_control(
            control(pptp::ControlType::start_reply, ByteWriter().u16(0x0100).u8(1))));
        EXPECT_TRUE(call.on_control(control(pptp::ControlType::outgoing_call_reply,
                                            ByteWriter().u16(128).u16(65'000).u8(1).u8(0))));
    }
    void send(const Bytes& bytes) {
        ByteWriter packet;
        packet.bytes(
            pptp::encode_gre_header(kOurs, sequence_++, std::nullopt, bytes.size() + 2).view());
        packet.u16(pptp::kPppAddressControl).bytes(bytes);
        const auto taken = call.on_packet(packet.view());
        EXPECT_TRUE(taken) << taken.error().detail;
        for (const Bytes& each : call.take_packets()) {
            const auto parsed = pptp::parse_gre(each);
            ASSERT_TRUE(parsed);
            EXPECT_EQ(parsed->sequence, expected_++);
            last.assign(parsed->payload.begin() + 2, parsed->payload.end());
        }
        if (steps.empty() || steps.back() != call.step_name()) {
            steps.emplace_back(call.step_name());
        }
    }
    void acknowledge() {
        const Asked asked = open(last);
        send(frame(asked.protocol, Code::configure_ack, asked.id, asked.data));
    }

    TrialCall call{kOurs, std::make_unique<PptpLink>(PppLogin(account_of(), {}, {}))};
    Bytes last;  // What came last.
    std::vector<std::string> steps;

  private:
    std::uint32_t sequence_ = 0;
    std::uint32_t expected_ = 0;
};

TEST(PptpLinkTest, GoesTheWholeWayInACall) {
    Server server;
    server.send(lcp_request(1));
    server.acknowledge();
    server.send(frame(Protocol::chap, 3, 9));
    const Asked wish = open(server.last);
    EXPECT_EQ(wish.protocol, Protocol::ipcp);
    server.send(frame(Protocol::ipcp, Code::configure_request, 1, address_option(kServerAddress)));
    EXPECT_EQ(open(server.last).code, Code::configure_ack);
    server.call.repeat();
    server.send(frame(Protocol::ipcp, Code::configure_nak, wish.id, address_option(kGivenAddress)));
    server.acknowledge();
    server.send(reply_to(server.last));
    EXPECT_EQ(open(server.last).code, Code::terminate_request);
    server.send(frame(Protocol::lcp, Code::terminate_ack, open(server.last).id));
    EXPECT_EQ(server.call.step(), TrialCall::Step::over);
    EXPECT_THAT(server.steps, ElementsAre("lcp", "login", "address", "ping", "hang_up"));
}

TEST(PptpLinkTest, ARefusalEndsTheCallAndClearsIt) {
    Server server;
    server.send(lcp_request(1));
    server.acknowledge();
    ByteWriter packet;
    const Bytes refusal = frame(Protocol::chap, 4, 9, {'n', 'o'});
    packet.bytes(pptp::encode_gre_header(kOurs, 9, std::nullopt, refusal.size()).view());
    packet.bytes(refusal);
    const auto refused = server.call.on_packet(packet.view());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "refuses the login of 'probe' (no)");
    EXPECT_FALSE(server.call.closing_message().empty());
}

}  // namespace pptp_link_test
}  // namespace vpnha::probe
