// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/model/link_endpoint.hpp"

#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "support/ppp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::ppp {
namespace link_endpoint_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Frame;
using test::ipcp;
using test::lcp;
using test::open_frame;
using test::ppp_frame;
using ::testing::ElementsAre;

const Bytes kOurMagic{0x0a, 0x0a, 0x0a, 0x0a};
const Bytes kTheirMagic{0x0b, 0x0b, 0x0b, 0x0b};
const TimePoint kStart{seconds(1000)};

class LinkEndpointTest : public ::testing::Test {
  protected:
    LinkEndpointTest() { link.start(kStart); }

    static LinkSettings settings() {
        return {.ours = {.magic = 0x0a0a0a0a},
                .theirs = {.mru = 1400, .magic = 0x0b0b0b0b},
                .echo_interval = seconds(5),
                .echo_failures = 3};
    }

    std::vector<Frame> answers(const Bytes& frame) {
        const LinkEndpoint::Effects effects = link.on_frame(frame, kStart);
        end_reason = effects.end_reason.value_or("");
        std::vector<Frame> frames;
        for (const Bytes& bytes : effects.frames) {
            frames.push_back(open_frame(bytes));
        }
        return frames;
    }

    LinkCounters counters;
    LinkEndpoint link{settings(), counters};
    std::string end_reason;
};

TEST_F(LinkEndpointTest, AnswersAnEchoWithOurMagicAndTheRequestsData) {
    const std::vector<Frame> frames =
        answers(lcp(Code::echo_request, 42, {0x0b, 0x0b, 0x0b, 0x0b, 'h', 'i'}));
    EXPECT_THAT(frames, ElementsAre(Frame{
                            0xc021, Code::echo_reply, 42, {0x0a, 0x0a, 0x0a, 0x0a, 'h', 'i'}}));
}

TEST_F(LinkEndpointTest, CountsALoopedEchoAndDoesNotAnswer) {
    EXPECT_TRUE(answers(lcp(Code::echo_request, 42, kOurMagic)).empty());
    EXPECT_TRUE(answers(lcp(Code::echo_reply, 0x80, kOurMagic)).empty());
    EXPECT_EQ(counters.looped, 2U);
}

TEST_F(LinkEndpointTest, AnswersMagicZeroWhenNoneWasNegotiated) {
    LinkSettings without = settings();
    without.ours.magic = 0;
    link = LinkEndpoint(without, counters);
    EXPECT_EQ(answers(lcp(Code::echo_request, 1, {0, 0, 0, 0})).size(), 1U);
    EXPECT_EQ(counters.looped, 0U);
}

TEST_F(LinkEndpointTest, CutsARepliesDataToThePeersMru) {
    const std::vector<Frame> frames = answers(lcp(Code::echo_request, 1, Bytes(1800, 1)));
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_LE(frames[0].data.size() + 4, 1400U);
    EXPECT_GE(frames[0].data.size() + 4, 1390U);
}

TEST_F(LinkEndpointTest, SendsEchoesAndGivesUpAfterTheConfiguredFailures) {
    EXPECT_EQ(link.next_deadline(), kStart + seconds(5));
    EXPECT_TRUE(link.on_time(kStart + milliseconds(4999)).frames.empty());
    for (int n = 1; n <= 3; ++n) {
        const auto effects = link.on_time(kStart + n * seconds(5));
        ASSERT_EQ(effects.frames.size(), 1U) << n;
        const Frame echo = open_frame(effects.frames[0]);
        EXPECT_EQ(echo.code, Code::echo_request);
        EXPECT_EQ(echo.data, kOurMagic);
        EXPECT_FALSE(effects.end_reason.has_value());
    }
    const auto effects = link.on_time(kStart + seconds(20));
    ASSERT_EQ(effects.frames.size(), 1U);
    EXPECT_EQ(open_frame(effects.frames[0]).code, Code::terminate_request);
    EXPECT_EQ(effects.end_reason, "peer left LCP echoes unanswered");
    EXPECT_FALSE(link.next_deadline().has_value());
}

TEST_F(LinkEndpointTest, AnAnsweredEchoBeginsTheCountAnew) {
    TimePoint now = kStart;
    for (int n = 0; n < 10; ++n) {
        now += seconds(5);
        const auto effects = link.on_time(now);
        ASSERT_EQ(effects.frames.size(), 1U);
        ASSERT_FALSE(effects.end_reason.has_value());
        if (n % 2 == 1) {
            answers(lcp(Code::echo_reply, open_frame(effects.frames[0]).id, kTheirMagic));
        }
    }
}

TEST_F(LinkEndpointTest, CountsEchoesAndTheTimeOfThoseThatAreAnsweredBeforeTheNextOne) {
    const auto first = link.on_time(kStart + seconds(5));
    const auto second = link.on_time(kStart + seconds(10));
    const auto reply_to = [](const LinkEndpoint::Effects& echo) {
        return lcp(Code::echo_reply, open_frame(echo.frames.at(0)).id, kTheirMagic);
    };
    static_cast<void>(link.on_frame(reply_to(second), kStart + milliseconds(10'040)));
    static_cast<void>(link.on_frame(reply_to(second), kStart + milliseconds(10'050)));
    static_cast<void>(link.on_frame(reply_to(first), kStart + milliseconds(10'060)));
    static_cast<void>(link.probe());
    EXPECT_EQ(counters.echoes_sent, 2U);
    EXPECT_EQ(counters.echoes_answered, 1U);
    EXPECT_EQ(counters.echo_time, milliseconds(40));
}

TEST_F(LinkEndpointTest, NeverEchoesWithIntervalZeroAndNeverEndsWithFailuresZero) {
    LinkSettings quiet = settings();
    quiet.echo_interval = Duration::zero();
    LinkEndpoint without(quiet, counters);
    without.start(kStart);
    EXPECT_FALSE(without.next_deadline().has_value());
    EXPECT_TRUE(without.on_time(kStart + seconds(3600)).frames.empty());

    LinkSettings patient = settings();
    patient.echo_failures = 0;
    LinkEndpoint forever(patient, counters);
    forever.start(kStart);
    for (int n = 1; n <= 50; ++n) {
        EXPECT_FALSE(forever.on_time(kStart + n * seconds(5)).end_reason.has_value());
    }
}

// As pppd's lcp-echo-adaptive.
TEST_F(LinkEndpointTest, TrafficTakesThePlaceOfAdaptiveEchoesAndTheirReplies) {
    LinkSettings adaptive = settings();
    adaptive.echo_is_adaptive = true;
    link = LinkEndpoint(adaptive, counters);
    link.start(kStart);
    TimePoint now = kStart;
    for (int n = 0; n < 10; ++n) {
        link.on_traffic();
        now += seconds(5);
        const auto effects = link.on_time(now);
        EXPECT_TRUE(effects.frames.empty()) << n;
        EXPECT_FALSE(effects.end_reason.has_value()) << n;
    }
    // Two without traffic, one with, and the count begins anew.
    for (const int silent : {2, 3}) {
        for (int n = 0; n < silent; ++n) {
            now += seconds(5);
            EXPECT_EQ(link.on_time(now).frames.size(), 1U);
        }
        if (silent == 2) {
            link.on_traffic();
            now += seconds(5);
            EXPECT_TRUE(link.on_time(now).frames.empty());
        }
    }
    now += seconds(5);
    EXPECT_TRUE(link.on_time(now).end_reason.has_value());
}

TEST_F(LinkEndpointTest, TrafficIsNoAnswerToOtherEchoes) {
    for (int n = 1; n <= 3; ++n) {
        link.on_traffic();
        EXPECT_EQ(link.on_time(kStart + n * seconds(5)).frames.size(), 1U);
    }
    link.on_traffic();
    EXPECT_TRUE(link.on_time(kStart + seconds(20)).end_reason.has_value());
}

TEST_F(LinkEndpointTest, GreetsWithAPacketThatHasNoAnswer) {
    const LinkEndpoint::Effects effects = link.greet();
    ASSERT_EQ(effects.frames.size(), 1U);
    EXPECT_EQ(open_frame(effects.frames[0]),
              (Frame{0xc021, Code::discard_request, 0, {0x0a, 0x0a, 0x0a, 0x0a}}));
    static_cast<void>(link.close("test"));
    EXPECT_TRUE(link.greet().frames.empty());
}

TEST_F(LinkEndpointTest, AProbeIsAnsweredOnlyByAReplyToIt) {
    const auto first = link.probe();
    ASSERT_EQ(first.frames.size(), 1U);
    link.forget_answer();
    const auto second = link.probe();
    answers(lcp(Code::echo_reply, open_frame(first.frames[0]).id, kTheirMagic));
    EXPECT_FALSE(link.answered());
    answers(lcp(Code::echo_reply, 3, kTheirMagic));
    EXPECT_FALSE(link.answered());
    answers(lcp(Code::echo_reply, open_frame(second.frames[0]).id, kTheirMagic));
    EXPECT_TRUE(link.answered());
}

TEST_F(LinkEndpointTest, EndsTheLinkAsTheTableDefines) {
    const struct {
        const char* description;
        Bytes frame;
        std::vector<Code> answers;
        const char* end_reason;
    } cases[] = {
        {"LCP Terminate-Request",
         lcp(Code::terminate_request, 5),
         {Code::terminate_ack},
         "peer sent LCP Terminate-Request"},
        {"LCP Terminate-Ack", lcp(Code::terminate_ack, 5), {}, "peer sent LCP Terminate-Ack"},
        {"LCP Configure-Request",
         lcp(Code::configure_request, 1, {1, 4, 5, 0xdc}),
         {Code::terminate_request},
         "peer wants to negotiate LCP anew"},
        {"IPCP Configure-Request",
         ipcp(Code::configure_request, 1, {3, 6, 0, 0, 0, 0}),
         {Code::terminate_request},
         "peer wants to negotiate IPCP anew"},
        {"IPCP Terminate-Request",
         ipcp(Code::terminate_request, 1),
         {Code::terminate_ack, Code::terminate_request},
         "peer sent IPCP Terminate-Request"},
    };
    for (const auto& c : cases) {
        link = LinkEndpoint(settings(), counters);
        std::vector<Code> codes;
        for (const Frame& frame : answers(c.frame)) {
            codes.push_back(frame.code);
        }
        EXPECT_EQ(codes, c.answers) << c.description;
        EXPECT_EQ(end_reason, c.end_reason) << c.description;
        EXPECT_TRUE(answers(lcp(Code::echo_request, 9, kTheirMagic)).empty()) << c.description;
        EXPECT_TRUE(link.probe().frames.empty()) << c.description;
        EXPECT_FALSE(link.close("again").end_reason.has_value()) << c.description;
    }
}

TEST_F(LinkEndpointTest, ATerminateAckCarriesTheRequestsProtocolAndId) {
    EXPECT_THAT(answers(lcp(Code::terminate_request, 77)),
                ElementsAre(Frame{0xc021, Code::terminate_ack, 77, {}}));
    link = LinkEndpoint(settings(), counters);
    EXPECT_EQ(answers(ipcp(Code::terminate_request, 78)).front(),
              (Frame{0x8021, Code::terminate_ack, 78, {}}));
}

TEST_F(LinkEndpointTest, DropsWhatMeansNothingToAnOpenLink) {
    const struct {
        const char* description;
        Bytes frame;
        std::uint64_t unexpected;
    } cases[] = {
        {"Discard-Request", lcp(Code::discard_request, 1, kTheirMagic), 0},
        {"Identification", lcp(Code::identification, 1, kTheirMagic), 0},
        {"Time-Remaining", lcp(Code::time_remaining, 1, kTheirMagic), 0},
        {"late Configure-Ack", lcp(Code::configure_ack, 1), 1},
        {"late Configure-Nak", lcp(Code::configure_nak, 1), 1},
        {"late Configure-Reject", lcp(Code::configure_reject, 1), 1},
        {"Protocol-Reject of IPv6", lcp(Code::protocol_reject, 1, {0x00, 0x57}), 1},
        {"Protocol-Reject of IPCP", lcp(Code::protocol_reject, 1, {0x80, 0x21}), 1},
        {"Protocol-Reject of what was never sent", lcp(Code::protocol_reject, 1, {0x12, 0x34}), 1},
        {"Protocol-Reject of nothing", lcp(Code::protocol_reject, 1, {0x00}), 0},
        {"Code-Reject of a Terminate", lcp(Code::code_reject, 1, {5, 1, 0, 4}), 1},
        {"IPCP Configure-Ack", ipcp(Code::configure_ack, 1), 1},
        {"late CHAP response", ppp_frame(0xc223, 2, 1), 1},
        {"late PAP request", ppp_frame(0xc023, 1, 1), 1},
        {"IP before the unit came", ppp_frame(0x0021, 0x45, 0), 1},
    };
    for (const auto& c : cases) {
        counters = {};
        EXPECT_TRUE(answers(c.frame).empty()) << c.description;
        EXPECT_EQ(end_reason, "") << c.description;
        EXPECT_EQ(counters.unexpected, c.unexpected) << c.description;
    }
}

TEST_F(LinkEndpointTest, AProtocolRejectOfWhatCarriesPacketsEndsTheLink) {
    for (const std::uint8_t rejected : {std::uint8_t{0x21}, std::uint8_t{0xfd}}) {
        link = LinkEndpoint(settings(), counters);
        end_reason.clear();
        EXPECT_THAT(answers(lcp(Code::protocol_reject, 1, {0x00, rejected})),
                    ElementsAre(Frame{0xc021, Code::terminate_request, 0x80, {}}));
        EXPECT_EQ(end_reason, "peer rejects what it is sent");
    }
}

TEST_F(LinkEndpointTest, APeerThatRejectsWhatWasNeverSentGetsGarbage) {
    const Bytes strange = lcp(Code::protocol_reject, 1, {0x12, 0x34});
    for (int i = 0; i < LinkEndpoint::kStrangeRejectsMax; ++i) {
        EXPECT_TRUE(answers(strange).empty()) << i;
    }
    EXPECT_EQ(end_reason, "");
    EXPECT_THAT(answers(strange), ElementsAre(Frame{0xc021, Code::terminate_request, 0x80, {}}));
    EXPECT_EQ(end_reason, "peer cannot read what it is sent");
}

TEST_F(LinkEndpointTest, ACodeRejectOfEchoesEndsTheEchoesAndNotTheLink) {
    answers(lcp(Code::code_reject, 1, {9, 0x80, 0, 8}));
    EXPECT_FALSE(link.next_deadline().has_value());
    EXPECT_TRUE(link.on_time(kStart + seconds(60)).frames.empty());
    EXPECT_EQ(answers(lcp(Code::echo_request, 1, kTheirMagic)).size(), 1U);
}

TEST_F(LinkEndpointTest, RejectsForeignProtocolsWithTheFrameInside) {
    for (const int protocol : {0x80fd, 0x8057, 0x0057, 0xc025}) {
        link = LinkEndpoint(settings(), counters);
        const Bytes frame = ppp_frame(static_cast<std::uint16_t>(protocol), 1, 9, {1, 2});
        EXPECT_THAT(answers(frame), ElementsAre(Frame{0xc021, Code::protocol_reject, 0x80, frame}));
    }
}

TEST_F(LinkEndpointTest, KnowsIpv6cpWhereItIsOpen) {
    LinkSettings with = settings();
    with.ipv6 = true;
    const struct {
        const char* description;
        Bytes frame;
        std::vector<Frame> answers;
        const char* end_reason;
        std::uint64_t unexpected;
    } cases[] = {
        {"Terminate-Request: IPv4 continues",
         ppp_frame(0x8057, 5, 7),
         {Frame{0x8057, Code::terminate_ack, 7, {}}},
         "",
         0},
        {"Configure-Request",
         ppp_frame(0x8057, 1, 7),
         {Frame{0xc021, Code::terminate_request, 0x80, {}}},
         "peer wants to negotiate IPv6CP anew",
         0},
        {"late Configure-Ack", ppp_frame(0x8057, 2, 7), {}, "", 1},
        {"IPv6 before the unit came", ppp_frame(0x0057, 0x60, 0), {}, "", 1},
    };
    for (const auto& c : cases) {
        counters = {};
        link = LinkEndpoint(with, counters);
        EXPECT_EQ(answers(c.frame), c.answers) << c.description;
        EXPECT_EQ(end_reason, c.end_reason) << c.description;
        EXPECT_EQ(counters.unexpected, c.unexpected) << c.description;
    }
}

TEST_F(LinkEndpointTest, RejectsForeignCodesWithThePacketInside) {
    const Bytes frame = ppp_frame(0xc021, 99, 9, {1, 2});
    EXPECT_THAT(answers(frame), ElementsAre(Frame{0xc021, Code::code_reject, 0x80,
                                                  Bytes(frame.begin() + 2, frame.end())}));
}

TEST_F(LinkEndpointTest, WithholdsRejectsOverItsBoundUntilTheNextSecond) {
    std::size_t sent = 0;
    for (int n = 0; n < 100; ++n) {
        sent += answers(ppp_frame(0x80fd, 1, 1)).size();
    }
    EXPECT_EQ(sent, limits::kPppRejectsPerSecondMax);
    EXPECT_EQ(counters.rejects_withheld, 100 - limits::kPppRejectsPerSecondMax);
    EXPECT_EQ(link.on_frame(ppp_frame(0x80fd, 1, 1), kStart + seconds(1)).frames.size(), 1U);
}

TEST_F(LinkEndpointTest, CountsWhatDoesNotParse) {
    const Bytes cases[] = {
        {},
        {0xc0},
        {0xc0, 0x21},
        {0xc0, 0x21, 9, 1, 0},
        {0xc0, 0x21, 9, 1, 0, 3},
        {0xc0, 0x21, 9, 1, 0, 9, 0, 0, 0, 0},
        {0xc0, 0x21, 9, 1, 0, 6, 0, 0},  // An echo without a magic number.
        {0xc0, 0x21, 10, 1, 0, 4},
        {0x80, 0x21, 1, 1, 0, 2},
        Bytes(limits::kPppFrameBytesMax + 1, 0xc0),
    };
    for (const Bytes& bytes : cases) {
        counters = {};
        EXPECT_TRUE(answers(bytes).empty()) << to_hex(bytes);
        EXPECT_EQ(counters.malformed, 1U) << to_hex(bytes);
        EXPECT_EQ(end_reason, "") << to_hex(bytes);
    }
}

TEST_F(LinkEndpointTest, SurvivesAnyBytes) {
    test::Random random(1661);
    for (int n = 0; n < 50'000; ++n) {
        Bytes frame = random.bytes(40);
        if (frame.size() > 2 && random.chance(80)) {
            frame[0] = random.chance(70) ? 0xc0 : 0x80;
            frame[1] = 0x21;
        }
        if (answers(frame); !end_reason.empty()) {
            link = LinkEndpoint(settings(), counters);
        }
    }
}

}  // namespace link_endpoint_test
}  // namespace vpnha::ppp
