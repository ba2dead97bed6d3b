// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/resumed_tunnel.hpp"

#include <gmock/gmock.h>

#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/work.hpp"
#include "support/l2tp_builder.hpp"
#include "support/ppp_builder.hpp"
#include "support/random.hpp"

namespace vpnha::l2tp {
namespace resumed_tunnel_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::kTunnel;
using test::L2tpPacket;
using test::lcp;
using test::session_record;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kStart{seconds(1000)};
const Bytes kTheirMagic{0x0b, 0x0b, 0x0b, 0x0b};

// "SessionEnded 1: peer sent CDN (result 3)" and the like, so that expectations read.
std::string describe(const TunnelEffect& effect) {
    if (const auto* datagram = std::get_if<SendDatagram>(&effect)) {
        return test::describe(datagram->bytes);
    }
    if (const auto* frame = std::get_if<SendFrame>(&effect)) {
        const test::Frame open = test::open_frame(frame->frame);
        return "session " + std::to_string(frame->session.id.value) + " code " +
               std::to_string(static_cast<int>(open.code));
    }
    if (const auto* session = std::get_if<SessionEnded>(&effect)) {
        return "SessionEnded " + std::to_string(session->session.id.value) + ": " + session->reason;
    }
    if (std::holds_alternative<CallAsked>(effect)) {
        return "CallAsked";
    }
    return "TunnelEnded: " + std::get<TunnelEnded>(effect).reason;
}

std::vector<std::string> lines(const TunnelEffects& effects) {
    std::vector<std::string> lines;
    for (const TunnelEffect& effect : effects) {
        lines.push_back(describe(effect));
    }
    return lines;
}

// Two sessions, 1/101 and 2/102. The peer's next message is 2; ours 5.
class ResumedTunnelTest : public ::testing::Test {
  protected:
    ResumedTunnelTest() {
        tunnel.add_session(session_record(1));
        tunnel.add_session(session_record(2));
    }

    void promote() {
        EXPECT_THAT(lines(tunnel.on_promoted(now)), Contains("HELLO ns 0 nr 0"));
        EXPECT_THAT(receive(L2tpPacket().to(0x1111).numbers(2, 4)), ElementsAre("HELLO ns 4 nr 0"));
        EXPECT_THAT(receive(L2tpPacket().to(0x1111).numbers(2, 5)), IsEmpty());
    }

    std::vector<std::string> receive(const L2tpPacket& packet) {
        return lines(tunnel.on_datagram(packet.bytes(), now));
    }
    std::vector<std::string> receive_frame(std::uint16_t session, const Bytes& frame) {
        return lines(tunnel.on_frame(session_record(session).key, frame, now));
    }
    std::vector<std::string> end(std::uint16_t session) {
        return lines(tunnel.end_session(session_record(session).key, "ended by the operator",
                                        EndCause::admin_reset, now));
    }
    std::vector<std::string> at(Duration since_start) {
        now = kStart + since_start;
        return lines(tunnel.on_time(now));
    }
    static L2tpPacket message(MessageType type, int ns, int nr = 5) {
        L2tpPacket packet(type);
        packet.to(0x1111).numbers(static_cast<std::uint16_t>(ns), static_cast<std::uint16_t>(nr));
        return packet;
    }
    // A CDN of session `id` as each known client sends it: with the peer's id in its AVP.
    static L2tpPacket cdn(int ns, std::uint16_t id, std::uint16_t result) {
        return message(MessageType::cdn, ns)
            .to(0x1111, id)
            .u16(1, result)
            .u16(14, static_cast<std::uint16_t>(id + 100));
    }
    static L2tpPacket acknowledgement(int nr) {
        L2tpPacket packet;
        return packet.to(0x1111).numbers(3, static_cast<std::uint16_t>(nr));
    }
    static L2tpPacket sccrq() { return L2tpPacket(MessageType::sccrq).numbers(0, 0).u16(9, 77); }

    ResumedTunnel tunnel{kTunnel};
    TimePoint now = kStart;
};

TEST_F(ResumedTunnelTest, IsSilentUntilItsNodeIsPromoted) {
    EXPECT_THAT(receive(message(MessageType::hello, 2)), IsEmpty());
    EXPECT_THAT(receive_frame(1, lcp(ppp::Code::echo_request, 1, kTheirMagic)), IsEmpty());
    EXPECT_THAT(at(seconds(3600)), IsEmpty());
    EXPECT_FALSE(tunnel.next_deadline().has_value());
    EXPECT_THAT(end(1), IsEmpty());
    EXPECT_TRUE(tunnel.has_sessions());
}

// Without a data sequence number: a peer that numbers what it sends must stop then.
TEST_F(ResumedTunnelTest, EachLinkGreetsItsPeerAtOnce) {
    EXPECT_THAT(lines(tunnel.on_promoted(now)),
                ElementsAre("session 1 code 11", "session 2 code 11", "HELLO ns 0 nr 0"));
}

TEST_F(ResumedTunnelTest, AnswersControlAndLcpOnceSynchronized) {
    promote();
    EXPECT_THAT(receive(message(MessageType::hello, 2)), ElementsAre("ZLB ns 5 nr 3"));
    EXPECT_THAT(receive_frame(2, lcp(ppp::Code::echo_request, 1, kTheirMagic)),
                ElementsAre("session 2 code 10"));
    EXPECT_THAT(at(seconds(5)), ElementsAre("session 1 code 9", "session 2 code 9"));
}

TEST_F(ResumedTunnelTest, ASessionAddedLaterIsKeptLikeTheOthers) {
    promote();
    at(seconds(5));
    tunnel.add_session(session_record(3));
    EXPECT_THAT(at(seconds(10)),
                ElementsAre("session 1 code 9", "session 2 code 9", "session 3 code 9"));
}

TEST_F(ResumedTunnelTest, ACdnOfThePeerEndsItsSessionOnly) {
    promote();
    EXPECT_THAT(receive(cdn(2, 1, 3)),
                ElementsAre("ZLB ns 5 nr 3", "SessionEnded 1: peer sent CDN (result 3)"));
    EXPECT_TRUE(tunnel.has_sessions());
    EXPECT_THAT(receive_frame(1, lcp(ppp::Code::echo_request, 1, kTheirMagic)), IsEmpty());
}

TEST_F(ResumedTunnelTest, ACdnMayNameTheSessionByThePeersIdAlone) {
    promote();
    EXPECT_THAT(receive(message(MessageType::cdn, 2).u16(1, 3).u16(14, 102)),
                ElementsAre("ZLB ns 5 nr 3", "SessionEnded 2: peer sent CDN (result 3)"));
}

TEST_F(ResumedTunnelTest, TheLastCdnClosesTheTunnel) {
    promote();
    receive(cdn(2, 1, 3));
    EXPECT_THAT(receive(cdn(3, 2, 1)),
                ElementsAre("ZLB ns 5 nr 4", "SessionEnded 2: peer sent CDN (result 1)",
                            "StopCCN result 1 ns 5 nr 4"));
    EXPECT_FALSE(tunnel.has_sessions());
    EXPECT_THAT(receive(acknowledgement(6)), ElementsAre("TunnelEnded: closed"));
    EXPECT_THAT(receive(message(MessageType::hello, 4)), IsEmpty());
    EXPECT_FALSE(tunnel.next_deadline().has_value());
}

TEST_F(ResumedTunnelTest, AStopccnOfThePeerEndsEverything) {
    promote();
    EXPECT_THAT(receive(message(MessageType::stopccn, 2).u16(9, 0x2222).u16(1, 6)),
                ElementsAre("ZLB ns 5 nr 3", "SessionEnded 1: peer sent StopCCN (result 6)",
                            "SessionEnded 2: peer sent StopCCN (result 6)",
                            "TunnelEnded: peer sent StopCCN (result 6)"));
}

TEST_F(ResumedTunnelTest, NobodyEndsATunnelWithoutThePeersIds) {
    const struct {
        const char* description;
        L2tpPacket packet;
    } cases[] = {
        {"StopCCN without an id", message(MessageType::stopccn, 2).u16(1, 6)},
        {"StopCCN with our id", message(MessageType::stopccn, 2).u16(9, 0x1111).u16(1, 6)},
        {"StopCCN with id 0", message(MessageType::stopccn, 2).u16(9, 0).u16(1, 6)},
        {"StopCCN with a hidden id",
         message(MessageType::stopccn, 2)
             .avp({.hidden = true, .type = 9, .value = to_bytes("\x22\x22")})
             .u16(1, 6)},
        {"CDN without an id", message(MessageType::cdn, 2).to(0x1111, 1).u16(1, 3)},
        {"CDN with our id", message(MessageType::cdn, 2).to(0x1111, 1).u16(1, 3).u16(14, 1)},
        {"CDN with another session's id",
         message(MessageType::cdn, 2).to(0x1111, 1).u16(1, 3).u16(14, 102)},
        {"HELLO with a mandatory unknown AVP", message(MessageType::hello, 2).avp({.type = 99})},
        {"WEN of session 1 with one", message(MessageType::wen, 2).to(0x1111, 1).avp({.type = 99})},
    };
    for (const auto& c : cases) {
        tunnel = ResumedTunnel(kTunnel);
        tunnel.add_session(session_record(1));
        tunnel.add_session(session_record(2));
        promote();
        EXPECT_THAT(receive(c.packet), ElementsAre("ZLB ns 5 nr 3")) << c.description;
        EXPECT_EQ(tunnel.counters().unproven, 1U) << c.description;
        EXPECT_THAT(receive(cdn(3, 1, 3)),
                    ElementsAre("ZLB ns 5 nr 4", "SessionEnded 1: peer sent CDN (result 3)"))
            << c.description;
    }
}

TEST_F(ResumedTunnelTest, TheOperatorEndsASessionWithTerminateRequestAndCdn) {
    promote();
    EXPECT_THAT(end(1), ElementsAre("session 1 code 5", "CDN to 101 result 3 ns 5 nr 0",
                                    "SessionEnded 1: ended by the operator"));
    EXPECT_THAT(end(1), IsEmpty());
    EXPECT_THAT(end(2),
                ElementsAre("session 2 code 5", "CDN to 102 result 3 ns 6 nr 0",
                            "SessionEnded 2: ended by the operator", "StopCCN result 1 ns 7 nr 0"));
    EXPECT_THAT(receive(acknowledgement(7)), IsEmpty());
    EXPECT_THAT(receive(acknowledgement(8)), ElementsAre("TunnelEnded: closed"));
}

TEST_F(ResumedTunnelTest, WhatTheStockDaemonHasAgainLeavesWithoutAWord) {
    promote();
    EXPECT_THAT(lines(tunnel.yield_session(session_record(1).key)), IsEmpty());
    EXPECT_THAT(lines(tunnel.yield_session(session_record(1).key)), IsEmpty());
    EXPECT_THAT(at(seconds(5)), ElementsAre("session 2 code 9"));
    EXPECT_THAT(lines(tunnel.yield_session(session_record(2).key)),
                ElementsAre("TunnelEnded: its last session is the stock daemon's"));
    EXPECT_FALSE(tunnel.next_deadline().has_value());
}

TEST_F(ResumedTunnelTest, ACdnCarriesOurSessionIdInItsAvp) {
    promote();
    const TunnelEffects effects = tunnel.end_session(session_record(2).key, "its time is over",
                                                     EndCause::session_timeout, now);
    const auto sent = test::open_datagram(std::get<SendDatagram>(effects.at(1)).bytes);
    EXPECT_EQ(sent.header.tunnel, kTunnel.peer_id);
    EXPECT_EQ(sent.header.session, SessionId{102});
    EXPECT_EQ(sent.assigned_session, 2);
    const auto& ended = std::get<SessionEnded>(effects.at(2));
    EXPECT_EQ(ended.reason, "its time is over");
    EXPECT_EQ(ended.cause, EndCause::session_timeout);
}

TEST_F(ResumedTunnelTest, ALinkThatEndsTakesItsSessionWithIt) {
    const struct {
        const char* description;
        Bytes frame;
        std::vector<std::string> effects;
    } cases[] = {
        {"Terminate-Request",
         lcp(ppp::Code::terminate_request, 7),
         {"session 1 code 6", "CDN to 101 result 1 ns 5 nr 0",
          "SessionEnded 1: peer sent LCP Terminate-Request"}},
        {"renegotiation",
         lcp(ppp::Code::configure_request, 7),
         {"session 1 code 5", "CDN to 101 result 1 ns 5 nr 0",
          "SessionEnded 1: peer wants to negotiate LCP anew"}},
    };
    for (const auto& c : cases) {
        tunnel = ResumedTunnel(kTunnel);
        tunnel.add_session(session_record(1));
        tunnel.add_session(session_record(2));
        promote();
        EXPECT_EQ(receive_frame(1, c.frame), c.effects) << c.description;
    }
}

TEST_F(ResumedTunnelTest, SessionsWithoutEchoRepliesEnd) {
    promote();
    for (const int s : {5, 10, 15}) {
        EXPECT_THAT(at(seconds(s)), ElementsAre("session 1 code 9", "session 2 code 9"));
        receive_frame(2, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    }
    EXPECT_THAT(at(seconds(20)),
                ElementsAre("session 1 code 5", "CDN to 101 result 1 ns 5 nr 0",
                            "SessionEnded 1: peer left LCP echoes unanswered", "session 2 code 9"));
}

TEST_F(ResumedTunnelTest, AForgedSccrqKillsNothing) {
    promote();
    EXPECT_THAT(receive(sccrq()), ElementsAre("session 1 code 9", "session 2 code 9"));
    EXPECT_THAT(receive_frame(2, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic)), IsEmpty());
    EXPECT_THAT(at(milliseconds(900)), IsEmpty());
    EXPECT_THAT(at(seconds(4)), IsEmpty());
    EXPECT_TRUE(tunnel.has_sessions());
    // Not again at once: it would make us send on a forger's behalf.
    EXPECT_THAT(receive(sccrq()), IsEmpty());
    now = kStart + limits::kL2tpSuspicionPause;
    EXPECT_EQ(receive(sccrq()).size(), 2U);
}

TEST_F(ResumedTunnelTest, ARealSccrqFreesTheTunnelWithoutAWord) {
    promote();
    receive(sccrq());
    EXPECT_EQ(at(milliseconds(800)).size(), 2U);
    EXPECT_EQ(at(milliseconds(1600)).size(), 2U);
    EXPECT_THAT(receive(sccrq()), IsEmpty());
    EXPECT_EQ(tunnel.next_deadline(), kStart + milliseconds(2400));
    at(milliseconds(2400));
    const std::string reason = "peer dialled anew and answers no LCP echo";
    EXPECT_THAT(at(limits::kL2tpSuspicionMax),
                ElementsAre("SessionEnded 1: " + reason, "SessionEnded 2: " + reason,
                            "TunnelEnded: " + reason));
    EXPECT_LT(limits::kL2tpSuspicionMax, seconds(3));
}

TEST_F(ResumedTunnelTest, ALateReplyToTheDeadNodeSettlesNoSuspicion) {
    promote();
    receive(sccrq());
    receive_frame(1, lcp(ppp::Code::echo_reply, 3, kTheirMagic));
    at(seconds(1));
    receive(sccrq());
    EXPECT_EQ(at(limits::kL2tpSuspicionMax).size(), 3U);
}

TEST_F(ResumedTunnelTest, AnAnswerFromBeforeTheSuspicionSettlesItNot) {
    promote();
    at(seconds(5));
    receive_frame(1, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    receive(sccrq());
    receive_frame(1, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    at(seconds(6));
    receive(sccrq());
    EXPECT_EQ(at(seconds(5) + limits::kL2tpSuspicionMax).size(), 3U);
}

TEST_F(ResumedTunnelTest, OneSccrqEndsNothing) {
    SessionRecord quiet = session_record(1);
    quiet.facts.echo_interval_s = 0;
    tunnel = ResumedTunnel(kTunnel);
    tunnel.add_session(quiet);
    promote();
    for (const int s : {0, 10, 20}) {
        now = kStart + seconds(s);
        EXPECT_EQ(receive(sccrq()).size(), 1U) << s;
        // A copy of it is none that was sent again.
        now += milliseconds(100);
        EXPECT_THAT(receive(sccrq()), IsEmpty()) << s;
        EXPECT_THAT(at(seconds(s) + limits::kL2tpSuspicionMax), IsEmpty()) << s;
        EXPECT_TRUE(tunnel.has_sessions()) << s;
    }
}

TEST_F(ResumedTunnelTest, AnSccrqThatIsSentAgainLateRaisesTheSuspicionOnceMore) {
    promote();
    receive(sccrq());
    at(limits::kL2tpSuspicionMax);
    now = kStart + seconds(3);  // The second one, after 1 s, was lost.
    EXPECT_EQ(receive(sccrq()).size(), 2U);
    at(seconds(3) + limits::kL2tpSuspicionMax);
    EXPECT_FALSE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelTest, AfterALieASuspicionIsSlower) {
    promote();
    receive(sccrq());
    receive_frame(1, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    now = kStart + seconds(10);
    receive(sccrq());
    now += seconds(1);
    receive(sccrq());
    at(seconds(10) + limits::kL2tpSuspicionMax);
    EXPECT_TRUE(tunnel.has_sessions());
    at(seconds(10) + limits::kL2tpSuspicionMax * limits::kL2tpSuspicionSlower);
    EXPECT_FALSE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelTest, ASuspicionAsksManySessionsInTurns) {
    constexpr std::uint16_t kSessions = 1000;
    tunnel = ResumedTunnel(kTunnel);
    for (std::uint16_t id = 1; id <= kSessions; ++id) {
        tunnel.add_session(session_record(id));
    }
    promote();
    std::size_t asked = receive(sccrq()).size();
    EXPECT_EQ(asked, limits::kL2tpLinksPerTurn);
    while (asked < kSessions) {
        now = *tunnel.next_deadline();
        const std::size_t more = lines(tunnel.on_time(now)).size();
        ASSERT_GT(more, 0U);
        EXPECT_LE(more, limits::kL2tpLinksPerTurn);
        asked += more;
    }
    EXPECT_LT(now, kStart + limits::kL2tpSuspicionEchoInterval);
    EXPECT_EQ(tunnel.next_deadline(), kStart + limits::kL2tpSuspicionEchoInterval);
    // One that was asked in this suspicion settles it.
    receive_frame(kSessions, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    EXPECT_EQ(tunnel.next_deadline(), kStart + seconds(5));
}

TEST_F(ResumedTunnelTest, AnSccrqWhileClosingFreesTheTunnelAtOnce) {
    promote();
    end(1);
    end(2);
    EXPECT_THAT(receive(sccrq()), ElementsAre("TunnelEnded: peer dialled anew"));
}

TEST_F(ResumedTunnelTest, UnansweredProbesAreSettledByLcp) {
    EXPECT_EQ(tunnel.on_promoted(now).size(), 3U);
    for (const int s : {1, 3, 7, 15, 23}) {
        at(seconds(s));
        receive_frame(1, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
        receive_frame(2, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
    }
    const std::vector<std::string> asked = at(seconds(31));
    EXPECT_THAT(asked, ::testing::IsSupersetOf({"session 1 code 9", "session 2 code 9"}));
    for (std::uint8_t id = 0x80; id < 0xa0; ++id) {
        receive_frame(1, lcp(ppp::Code::echo_reply, id, kTheirMagic));
    }
    at(seconds(34));
    EXPECT_TRUE(tunnel.has_sessions());
    // It listens: the peer's own HELLO tells the numbers.
    EXPECT_THAT(receive(message(MessageType::hello, 2, 5)),
                ElementsAre("HELLO ns 5 nr 0", "ZLB ns 5 nr 3"));
}

TEST_F(ResumedTunnelTest, UnansweredProbesAndEchoesEndTheTunnel) {
    SessionRecord quiet = session_record(1);
    quiet.facts.echo_interval_s = 0;
    tunnel = ResumedTunnel(kTunnel);
    tunnel.add_session(quiet);
    EXPECT_EQ(tunnel.on_promoted(now).size(), 2U);
    for (const int s : {1, 3, 7, 15, 23, 31}) {
        at(seconds(s));
    }
    const std::string reason = "peer answers neither L2TP control messages nor LCP echoes";
    EXPECT_THAT(at(seconds(34)),
                ElementsAre("SessionEnded 1: " + reason, "TunnelEnded: " + reason));
}

TEST_F(ResumedTunnelTest, ClosingEndsThoughThePeerNeverAnswered) {
    EXPECT_EQ(tunnel.on_promoted(now).size(), 3U);
    end(1);
    EXPECT_THAT(end(2), ElementsAre("session 2 code 5", "SessionEnded 2: ended by the operator"));
    for (const int s : {1, 3, 7, 15, 23}) {
        EXPECT_THAT(at(seconds(s)), ElementsAre("HELLO ns 0 nr 0"));
    }
    EXPECT_THAT(at(seconds(31)), ElementsAre("TunnelEnded: peer answers no L2TP control message"));
}

// An acknowledgement can be forged, an answer of a link cannot.
TEST_F(ResumedTunnelTest, UnacknowledgedMessagesAreSettledByLcp) {
    for (const bool alive : {true, false}) {
        tunnel = ResumedTunnel(kTunnel);
        tunnel.add_session(session_record(1));
        tunnel.add_session(session_record(2));
        now = kStart;
        promote();
        end(1);
        for (const int s : {1, 3, 7, 15, 23}) {
            at(seconds(s));
            receive_frame(2, lcp(ppp::Code::echo_reply, 0x80, kTheirMagic));
        }
        EXPECT_THAT(at(seconds(31)), Contains("session 2 code 9"));
        for (int id = 0x80; alive && id < 0xa0; ++id) {
            receive_frame(2,
                          lcp(ppp::Code::echo_reply, static_cast<std::uint8_t>(id), kTheirMagic));
        }
        const std::string reason = "peer answers neither L2TP control messages nor LCP echoes";
        const std::vector<std::string> later = at(seconds(34));
        EXPECT_EQ(tunnel.has_sessions(), alive);
        if (!alive) {
            EXPECT_THAT(later, ElementsAre("SessionEnded 2: " + reason, "TunnelEnded: " + reason));
        }
    }
}

TEST_F(ResumedTunnelTest, RefusesAnOutgoingCallWithACdn) {
    promote();
    EXPECT_THAT(receive(message(MessageType::ocrq, 2).u16(14, 999)),
                ElementsAre("ZLB ns 5 nr 3", "CDN to 999 result 4 ns 5 nr 3"));
    EXPECT_TRUE(tunnel.has_sessions());
    // A late duplicate of what set up session 1 must not end it.
    EXPECT_THAT(receive(message(MessageType::icrq, 3).u16(14, 101)), ElementsAre("ZLB ns 6 nr 4"));
    EXPECT_THAT(receive(message(MessageType::icrq, 4)), ElementsAre("ZLB ns 6 nr 5"));
    EXPECT_EQ(tunnel.counters().unexpected, 2U);
}

TEST_F(ResumedTunnelTest, RefusesACallThatTheDeadNodeHadHalfSetUp) {
    promote();
    const TunnelEffects effects =
        tunnel.on_datagram(message(MessageType::iccn, 2).to(0x1111, 9).bytes(), now);
    ASSERT_EQ(effects.size(), 2U);
    const auto cdn = test::open_datagram(std::get<SendDatagram>(effects[1]).bytes);
    EXPECT_EQ(cdn.type, MessageType::cdn);
    EXPECT_EQ(cdn.header.session, SessionId{0});
    EXPECT_EQ(cdn.assigned_session, 9);
    EXPECT_THAT(receive(message(MessageType::iccn, 3).to(0x1111, 1)), ElementsAre("ZLB ns 6 nr 4"));
}

TEST_F(ResumedTunnelTest, WithholdsRefusalsFromAPeerThatAcknowledgesNone) {
    promote();
    std::size_t sent = 0;
    for (int n = 0; n < 100; ++n) {
        sent +=
            receive(message(MessageType::ocrq, 2 + n).u16(14, static_cast<std::uint16_t>(900 + n)))
                .size();
    }
    EXPECT_EQ(sent, 100 + limits::kL2tpSendWindow);
    EXPECT_EQ(tunnel.counters().unexpected, 100 - limits::kL2tpUnackedMax);
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelTest, NothingEndsByWhatItDoesNotKnow) {
    const struct {
        const char* description;
        L2tpPacket packet;
    } cases[] = {
        {"HELLO with an optional unknown AVP",
         message(MessageType::hello, 2).avp({.mandatory = false, .type = 99})},
        {"WEN of no session with one",
         message(MessageType::wen, 2).to(0x1111, 9).avp({.type = 99})},
        {"unknown message type", message(static_cast<MessageType>(99), 2)},
        {"unknown message type, optional",
         L2tpPacket().to(0x1111).numbers(2, 5).avp(
             {.mandatory = false, .type = 0, .value = to_bytes("\x01\x63")})},
    };
    for (const auto& c : cases) {
        tunnel = ResumedTunnel(kTunnel);
        tunnel.add_session(session_record(1));
        tunnel.add_session(session_record(2));
        promote();
        EXPECT_THAT(receive(c.packet), ElementsAre("ZLB ns 5 nr 3")) << c.description;
    }
}

TEST_F(ResumedTunnelTest, AnUnknownAvpKeepsNoSessionFromItsEnd) {
    promote();
    EXPECT_THAT(receive(cdn(2, 1, 3).avp({.type = 99})),
                ElementsAre("ZLB ns 5 nr 3", "SessionEnded 1: peer sent CDN (result 3)"));
}

TEST_F(ResumedTunnelTest, CountsWhatItDrops) {
    promote();
    const Bytes data{0x00, 0x02, 0x11, 0x11, 0, 1, 0xc0, 0x21};
    EXPECT_THAT(tunnel.on_datagram(data, now), IsEmpty());
    EXPECT_THAT(tunnel.on_datagram(Bytes{0xc8, 0x02, 0x00}, now), IsEmpty());
    EXPECT_THAT(receive(message(MessageType::hello, 2).to(0x1112)), IsEmpty());
    EXPECT_THAT(receive(message(MessageType::hello, 2).to(0)), IsEmpty());
    EXPECT_THAT(receive(L2tpPacket().to(0)), IsEmpty());
    EXPECT_THAT(receive_frame(3, lcp(ppp::Code::echo_request, 1, kTheirMagic)), IsEmpty());
    EXPECT_THAT(receive_frame(1, {0xc0}), IsEmpty());
    receive(message(MessageType::scccn, 2));
    receive(message(MessageType::cdn, 3).to(0x1111, 7));
    receive(message(MessageType::hello, 4, 6));
    const TunnelCounters& counters = tunnel.counters();
    EXPECT_EQ(counters.data, 1U);
    EXPECT_EQ(counters.malformed, 1U);
    EXPECT_EQ(counters.foreign_tunnel, 3U);
    EXPECT_EQ(counters.out_of_window, 1U);
    EXPECT_EQ(counters.unexpected, 3U);
    EXPECT_EQ(counters.links.malformed, 1U);
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelTest, ATunnelWithoutSessionsClosesWhenPromoted) {
    tunnel = ResumedTunnel(kTunnel);
    EXPECT_EQ(tunnel.on_promoted(now).size(), 1U);
    receive(L2tpPacket().to(0x1111).numbers(2, 4));
    EXPECT_THAT(receive(L2tpPacket().to(0x1111).numbers(2, 5)),
                ElementsAre("StopCCN result 1 ns 5 nr 0"));
    EXPECT_THAT(receive(acknowledgement(6)), ElementsAre("TunnelEnded: closed"));
}

TEST_F(ResumedTunnelTest, EndsHundredsOfSessionsAtOnceInOneTunnel) {
    tunnel = ResumedTunnel(kTunnel);
    for (std::uint16_t id = 1; id <= 300; ++id) {
        tunnel.add_session(session_record(id));
    }
    promote();
    for (std::uint16_t id = 1; id <= 300; ++id) {
        end(id);
    }
    std::size_t cdns = limits::kL2tpSendWindow;
    std::vector<std::string> last;
    for (int nr = 6; nr <= 306; ++nr) {
        for (const std::string& line : last = receive(acknowledgement(nr))) {
            cdns += line.starts_with("CDN") ? 1 : 0;
        }
    }
    EXPECT_EQ(cdns, 300U);
    EXPECT_THAT(last, ElementsAre("TunnelEnded: closed"));
}

// A LAC's tunnel: a packet costs a look at a few links, whoever sends it.
TEST_F(ResumedTunnelTest, NoPacketCostsALookAtAllSessions) {
    constexpr std::uint16_t kSessions = 10'000;
    constexpr std::uint64_t kVisitsMax = 4;
    tunnel = ResumedTunnel(kTunnel);
    for (std::uint16_t id = 1; id <= kSessions; ++id) {
        tunnel.add_session(session_record(id));
    }
    promote();
    const auto visits_of = [&](const auto& work) {
        const std::uint64_t before = tunnel.link_visits();
        work();
        EXPECT_TRUE(tunnel.next_deadline().has_value());
        return tunnel.link_visits() - before;
    };
    const struct {
        const char* description;
        L2tpPacket packet;
    } cases[] = {
        {"ZLB", acknowledgement(5)},
        {"HELLO", message(MessageType::hello, 2)},
        {"StopCCN without an id", message(MessageType::stopccn, 3)},
        {"CDN of nobody", message(MessageType::cdn, 4).u16(14, 30'000)},
        {"CDN of the last session with a wrong id",
         message(MessageType::cdn, 5).to(0x1111, 10'000)},
        {"CDN of the last session", cdn(6, 10'000, 3)},
        {"ICRQ of one that lives", message(MessageType::icrq, 7).u16(14, 9'999)},
        {"ICRQ of one that does not", message(MessageType::icrq, 8).u16(14, 30'000)},
        {"ICCN", message(MessageType::iccn, 9).to(0x1111, 30'000)},
        {"a forged Nr", message(MessageType::hello, 10, 20'000)},
    };
    for (const auto& c : cases) {
        EXPECT_LE(visits_of([&] { receive(c.packet); }), kVisitsMax) << c.description;
    }
    EXPECT_LE(visits_of([&] {
                  (void)tunnel.on_datagram(Bytes{0xc8, 0x02, 0x00}, now);
              }),
              kVisitsMax);
    EXPECT_LE(
        visits_of([&] { receive_frame(9'000, lcp(ppp::Code::echo_request, 1, kTheirMagic)); }),
        kVisitsMax);
    EXPECT_LE(visits_of([&] { receive(sccrq()); }), limits::kL2tpLinksPerTurn + kVisitsMax);
    // All of them have their echoes due.
    now = kStart + seconds(5);
    for (int n = 0; n < 10; ++n) {
        EXPECT_LE(visits_of([&] { (void)tunnel.on_time(now); }),
                  2 * limits::kL2tpLinksPerTurn + kVisitsMax);
    }
}

}  // namespace resumed_tunnel_test
}  // namespace vpnha::l2tp
