// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/trial_call.hpp"

#include <gmock/gmock.h>

#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::pptp {
namespace trial_call_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Step = TrialCall::Step;

constexpr CallId kOurs{65'000};
constexpr CallId kTheirs{128};

Bytes control(ControlType type, const ByteWriter& body) {
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(12 + body.size())).u16(1).u32(0x1a2b3c4d);
    writer.u16(static_cast<std::uint16_t>(type)).u16(0).bytes(body.view());
    return std::move(writer).take();
}
Bytes greeting() {
    return control(ControlType::start_reply, ByteWriter().u16(0x0100).u8(1));
}
Bytes answer(std::uint8_t result = 1) {
    return control(ControlType::outgoing_call_reply,
                   ByteWriter().u16(kTheirs.value).u16(kOurs.value).u8(result).u8(0));
}
Bytes lcp(ppp::Code code, CallId call = kOurs, std::uint8_t id = 1) {
    const Bytes frame =
        ppp::encode_control_frame(ppp::Protocol::lcp, {.code = code, .id = id, .data = {}});
    ByteWriter packet;
    packet.bytes(encode_gre_header(call, 0, std::nullopt, frame.size() + 2).view());
    packet.u16(kPppAddressControl).bytes(frame);
    return std::move(packet).take();
}

TrialCall in_gre() {
    TrialCall call(kOurs);
    EXPECT_TRUE(call.on_control(greeting()));
    EXPECT_TRUE(call.on_control(answer()));
    EXPECT_EQ(call.step(), Step::gre);
    return call;
}

Bytes both(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

TEST(TrialCallTest, GoesAllTheWayAndClearsTheCall) {
    TrialCall call(kOurs);
    EXPECT_EQ(call.request(), build_start_request());
    EXPECT_THAT(call.closing_message(), IsEmpty());
    ASSERT_TRUE(call.on_control(greeting()));
    EXPECT_EQ(call.request(), build_call_request(kOurs));
    EXPECT_EQ(call.closing_message(), build_stop_request());
    ASSERT_TRUE(call.on_control(answer()));
    EXPECT_THAT(call.request(), IsEmpty());
    call.on_packet(lcp(ppp::Code::configure_request));
    const auto packet = call.take_packet();
    ASSERT_TRUE(packet);
    EXPECT_EQ(parse_gre(*packet)->call, kTheirs);
    EXPECT_FALSE(call.take_packet()) << "once";
    call.on_packet(lcp(ppp::Code::configure_ack));
    EXPECT_EQ(call.step(), Step::over);
    EXPECT_EQ(call.closing_message(), both(build_call_clear_request(kOurs), build_stop_request()));
}

TEST(TrialCallTest, MessagesComeInAnyPieces) {
    TrialCall call(kOurs);
    const Bytes stream = both(greeting(), answer());
    for (const std::uint8_t octet : stream) {
        ASSERT_TRUE(call.on_control({&octet, 1}));
    }
    EXPECT_EQ(call.step(), Step::gre);
    TrialCall other(kOurs);
    ASSERT_TRUE(other.on_control(stream));
    EXPECT_EQ(other.step(), Step::gre);
}

TEST(TrialCallTest, ARefusalAndWhatIsNoPptpAreErrors) {
    TrialCall call(kOurs);
    ASSERT_TRUE(call.on_control(greeting()));
    const auto refused = call.on_control(answer(7));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unreachable);
    TrialCall other(kOurs);
    const auto wrong = other.on_control(Bytes(12, 0x20));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Errc::malformed);
}

TEST(TrialCallTest, APacketIsRepeatedWithAnotherNumber) {
    TrialCall call = in_gre();
    EXPECT_FALSE(call.take_packet());
    call.repeat();
    EXPECT_EQ(parse_gre(*call.take_packet())->sequence, 0U);
    call.repeat();
    EXPECT_EQ(parse_gre(*call.take_packet())->sequence, 1U);
    TrialCall early(kOurs);
    early.repeat();
    EXPECT_FALSE(early.take_packet()) << "there is no call yet";
}

TEST(TrialCallTest, OnlyAnAnswerToOurRequestEndsIt) {
    TrialCall call = in_gre();
    call.on_packet(lcp(ppp::Code::configure_ack));
    EXPECT_EQ(call.step(), Step::gre) << "nothing was asked yet";
    static_cast<void>(call.take_packet());
    for (const Bytes& packet :
         {lcp(ppp::Code::configure_ack, kTheirs), lcp(ppp::Code::configure_ack, kOurs, 2),
          lcp(ppp::Code::configure_request), Bytes{}, Bytes(16, 0xff)}) {
        call.on_packet(packet);
        EXPECT_EQ(call.step(), Step::gre);
    }
    call.on_packet(lcp(ppp::Code::configure_reject));
    EXPECT_EQ(call.step(), Step::over);
}

TEST(TrialCallTest, NamesWhatIsMissing) {
    TrialCall call(kOurs);
    EXPECT_THAT(call.missing(), HasSubstr("greeting"));
    ASSERT_TRUE(call.on_control(greeting()));
    EXPECT_THAT(call.missing(), HasSubstr("answer to a call"));
    ASSERT_TRUE(call.on_control(answer()));
    EXPECT_EQ(call.missing(), "no GRE of pppd came for a call");
    call.on_packet(lcp(ppp::Code::configure_request));
    EXPECT_EQ(call.missing(), "pppd has not answered in GRE");
}

}  // namespace trial_call_test
}  // namespace vpnha::pptp
