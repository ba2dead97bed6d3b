// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/trial_call.hpp"

#include <gmock/gmock.h>

#include "protocols/ppp/model/control_packet.hpp"
#include "protocols/pptp/model/gre.hpp"

namespace vpnha::pptp {
namespace trial_call_test {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
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

void take(TrialCall& call, const Bytes& packet) {
    EXPECT_TRUE(call.on_packet(packet));
}

TrialCall in_gre(std::unique_ptr<TrialLink> link = nullptr) {
    TrialCall call(kOurs, std::move(link));
    EXPECT_TRUE(call.on_control(greeting()));
    EXPECT_TRUE(call.on_control(answer()));
    EXPECT_EQ(call.step(), Step::gre);
    return call;
}

std::vector<std::uint32_t> sequences_of(TrialCall& call) {
    std::vector<std::uint32_t> sequences;
    for (const Bytes& packet : call.take_packets()) {
        sequences.push_back(parse_gre(packet)->sequence.value());
    }
    return sequences;
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
    take(call, lcp(ppp::Code::configure_request));
    const auto packets = call.take_packets();
    ASSERT_THAT(packets, SizeIs(1));
    EXPECT_EQ(parse_gre(packets[0])->call, kTheirs);
    EXPECT_THAT(call.take_packets(), IsEmpty()) << "once";
    take(call, lcp(ppp::Code::configure_ack));
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
    EXPECT_THAT(call.take_packets(), IsEmpty());
    call.repeat();
    EXPECT_EQ(sequences_of(call), std::vector<std::uint32_t>{0});
    call.repeat();
    take(call, lcp(ppp::Code::configure_request));
    EXPECT_EQ(sequences_of(call), (std::vector<std::uint32_t>{1, 2}));
    TrialCall early(kOurs);
    early.repeat();
    EXPECT_THAT(early.take_packets(), IsEmpty()) << "there is no call yet";
}

TEST(TrialCallTest, OnlyAnAnswerToOurRequestEndsIt) {
    TrialCall call = in_gre();
    take(call, lcp(ppp::Code::configure_ack));
    EXPECT_EQ(call.step(), Step::gre) << "nothing was asked yet";
    for (const Bytes& packet :
         {lcp(ppp::Code::configure_ack, kTheirs), lcp(ppp::Code::configure_ack, kOurs, 2),
          lcp(ppp::Code::configure_request), Bytes{}, Bytes(16, 0xff)}) {
        take(call, packet);
        EXPECT_EQ(call.step(), Step::gre);
    }
    take(call, lcp(ppp::Code::configure_reject));
    EXPECT_EQ(call.step(), Step::over);
}

TEST(TrialCallTest, NamesWhatIsMissing) {
    TrialCall call(kOurs);
    EXPECT_THAT(call.missing(), HasSubstr("greeting"));
    ASSERT_TRUE(call.on_control(greeting()));
    EXPECT_THAT(call.missing(), HasSubstr("answer to a call"));
    ASSERT_TRUE(call.on_control(answer()));
    EXPECT_EQ(call.missing(), "no GRE of pppd came for a call");
    take(call, lcp(ppp::Code::configure_request));
    EXPECT_EQ(call.missing(), "pppd has not answered in GRE");
}

// Asks with each octet that comes, answers 9, refuses 0, and is over by 7.
class Link final : public TrialLink {
  public:
    std::string_view step() const override { return step_; }
    bool is_over() const override { return step_ == "last"; }
    const Bytes& request() const override { return request_; }
    void repeat() override { request_.push_back(0xff); }
    Result<void> on_frame(ByteView frame) override {
        const std::uint8_t octet = frame.back();
        step_ = octet == 7 ? "last" : "second";
        request_ = octet == 7 || octet == 9 ? request_ : Bytes{octet};
        answer_ = octet == 9;
        return octet == 0 ? fail(Errc::unreachable, "refuses") : Result<void>{};
    }
    std::vector<Bytes> take_answers() override {
        return answer_ ? std::vector<Bytes>{{9, 9}} : std::vector<Bytes>{};
    }

  private:
    std::string_view step_ = "first";
    Bytes request_;
    bool answer_ = false;
};

Bytes of_server(std::uint8_t octet) {
    ByteWriter packet;
    packet.bytes(encode_gre_header(kOurs, 0, std::nullopt, 3).view());
    packet.u16(kPppAddressControl).u8(octet);
    return std::move(packet).take();
}

std::vector<std::string> frames_of(TrialCall& call) {
    std::vector<std::string> frames;
    for (const Bytes& packet : call.take_packets()) {
        frames.push_back(to_hex(parse_gre(packet)->payload));
    }
    return frames;
}

TEST(TrialCallTest, CarriesAClientsLinkToItsEnd) {
    TrialCall call = in_gre(std::make_unique<Link>());
    EXPECT_EQ(call.step_name(), "first");
    EXPECT_THAT(frames_of(call), IsEmpty()) << "the server speaks first";
    take(call, of_server(5));
    EXPECT_EQ(call.step_name(), "second");
    EXPECT_EQ(frames_of(call), std::vector<std::string>{"ff0305"});
    EXPECT_EQ(call.missing(), "second was not answered");
    take(call, of_server(9));
    EXPECT_EQ(frames_of(call), std::vector<std::string>{"ff030909"}) << "its request is the same";
    call.repeat();
    EXPECT_EQ(frames_of(call), std::vector<std::string>{"ff0305ff"});
    const auto refused = call.on_packet(of_server(0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "refuses");
    take(call, of_server(7));
    EXPECT_EQ(call.step(), Step::over);
    EXPECT_EQ(call.closing_message(), both(build_call_clear_request(kOurs), build_stop_request()));
}

}  // namespace trial_call_test
}  // namespace vpnha::pptp
