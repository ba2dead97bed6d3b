// SPDX-License-Identifier: GPL-2.0-or-later
// New calls in a tunnel that was taken over: this side is their LNS.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/model/resumed_tunnel.hpp"
#include "protocols/l2tp/work.hpp"
#include "support/l2tp_builder.hpp"

namespace vpnha::l2tp {
namespace resumed_tunnel_calls_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::kTunnel;
using test::L2tpPacket;
using test::session_record;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

const TimePoint kStart{seconds(1000)};

// A call is named by the peer's id: which one it got of us is the tunnel's to choose.
std::string describe(const TunnelEffect& effect) {
    const auto name = [](const char* what, const SessionKey& call) {
        return what + (" " + std::to_string(call.peer_id.value));
    };
    if (const auto* datagram = std::get_if<SendDatagram>(&effect)) {
        return test::describe(datagram->bytes);
    }
    if (std::holds_alternative<SendFrame>(effect)) {
        return "frame";
    }
    if (const auto* session = std::get_if<SessionEnded>(&effect)) {
        return name("SessionEnded", session->session);
    }
    if (const auto* asked = std::get_if<CallAsked>(&effect)) {
        return name("CallAsked", asked->call);
    }
    if (const auto* connected = std::get_if<CallConnected>(&effect)) {
        return name("CallConnected", connected->call);
    }
    if (const auto* ended = std::get_if<CallEnded>(&effect)) {
        return name("CallEnded", ended->call) + ": " + ended->reason;
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

// One session, 1/101. The peer's next message is 2; ours 5.
class ResumedTunnelCallsTest : public ::testing::Test {
  protected:
    ResumedTunnelCallsTest() { tunnel.add_session(quiet_session()); }

    // Its link asks for no echoes.
    static SessionRecord quiet_session() {
        SessionRecord record = session_record(1);
        record.facts.echo_interval_s = 0;
        return record;
    }

    void promote() {
        EXPECT_THAT(lines(tunnel.on_promoted(now)), Contains("HELLO ns 0 nr 0"));
        receive(L2tpPacket().to(0x1111).numbers(2, 4));
        receive(L2tpPacket().to(0x1111).numbers(2, 5));
    }
    std::vector<std::string> receive(const L2tpPacket& packet) {
        const TunnelEffects effects = tunnel.on_datagram(packet.bytes(), now);
        for (const TunnelEffect& effect : effects) {
            if (const auto* asked = std::get_if<CallAsked>(&effect)) {
                call = asked->call;
            }
        }
        return lines(effects);
    }
    std::vector<std::string> at(Duration since_start) {
        now = kStart + since_start;
        return lines(tunnel.on_time(now));
    }
    std::vector<std::string> accept() { return lines(tunnel.accept_call(call, now)); }
    std::vector<std::string> end(CdnResult result) {
        return lines(tunnel.end_call(call, result, "so it is", now));
    }
    static L2tpPacket message(MessageType type, int ns, int nr) {
        L2tpPacket packet(type);
        packet.to(0x1111).numbers(static_cast<std::uint16_t>(ns), static_cast<std::uint16_t>(nr));
        return packet;
    }
    static L2tpPacket icrq(int ns, std::uint16_t peer_id, int nr = 5) {
        return message(MessageType::icrq, ns, nr).u16(14, peer_id);
    }
    [[nodiscard]] L2tpPacket iccn(int ns, int nr) const {
        return message(MessageType::iccn, ns, nr).to(0x1111, call.id.value);
    }
    [[nodiscard]] L2tpPacket cdn(int ns, int nr, std::uint16_t peer_id) const {
        return message(MessageType::cdn, ns, nr)
            .to(0x1111, call.id.value)
            .u16(1, 3)
            .u16(14, peer_id);
    }
    void connect(int ns, std::uint16_t peer_id, int nr) {
        receive(icrq(ns, peer_id, nr));
        accept();
        EXPECT_THAT(receive(iccn(ns + 1, nr + 1)),
                    Contains("CallConnected " + std::to_string(peer_id)));
    }
    // The session that was taken over ends.
    std::vector<std::string> end_old(int ns, int nr) {
        return receive(message(MessageType::cdn, ns, nr).to(0x1111, 1).u16(1, 3).u16(14, 101));
    }

    ResumedTunnel tunnel{kTunnel};
    TimePoint now = kStart;
    SessionKey call;  // The last one that was asked for.
};

TEST_F(ResumedTunnelCallsTest, ACallIsSetUpWithAnIdOfItsOwn) {
    promote();
    EXPECT_THAT(receive(icrq(2, 700)), ElementsAre("ZLB ns 5 nr 3", "CallAsked 700"));
    EXPECT_EQ(call.tunnel, kTunnel);
    EXPECT_NE(call.id, SessionId{0});
    EXPECT_NE(call.id, SessionId{1});
    const TunnelEffects accepted = tunnel.accept_call(call, now);
    EXPECT_THAT(lines(accepted), ElementsAre("ICRP to 700 ns 5 nr 3"));
    const test::L2tpSent icrp = test::open_datagram(std::get<SendDatagram>(accepted[0]).bytes);
    EXPECT_EQ(icrp.assigned_session, call.id.value);
    EXPECT_THAT(receive(iccn(3, 6)), ElementsAre("ZLB ns 6 nr 4", "CallConnected 700"));
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelCallsTest, EachCallHasAnotherId) {
    promote();
    std::set<SessionId> ids{SessionId{1}};
    for (int n = 0; n < 10; ++n) {
        receive(icrq(2 + n, static_cast<std::uint16_t>(700 + n)));
        EXPECT_TRUE(ids.insert(call.id).second) << n;
    }
}

// RFC 2661 5.8: the numbers continue where they were; the successor of this node learns them anew.
TEST_F(ResumedTunnelCallsTest, NumbersContinueOverManyCalls) {
    promote();
    for (int n = 0; n < 50; ++n) {
        const auto peer_id = static_cast<std::uint16_t>(700 + n);
        receive(icrq(2 + 2 * n, peer_id, 5 + n));
        EXPECT_THAT(accept(), Contains("ICRP to " + std::to_string(peer_id) + " ns " +
                                       std::to_string(5 + n) + " nr " + std::to_string(3 + 2 * n)));
        EXPECT_THAT(receive(iccn(3 + 2 * n, 6 + n)),
                    Contains("CallConnected " + std::to_string(peer_id)));
    }
}

// 0 is no old number to a peer that has taken more than 32 768 messages: no hint of where it stands
// is needed, since its own message shows it.
TEST_F(ResumedTunnelCallsTest, ACallGetsThroughFarBeyondTheFirstProbe) {
    static_cast<void>(tunnel.on_promoted(now));
    constexpr int kFar = 40'000;
    EXPECT_THAT(receive(icrq(50'000, 700, kFar)),
                ElementsAre(HasSubstr("HELLO ns 40000"), "ZLB ns 40000 nr 50001", "CallAsked 700"));
    EXPECT_THAT(accept(), IsEmpty());
    EXPECT_THAT(receive(L2tpPacket().to(0x1111).numbers(50'001, kFar + 1)),
                ElementsAre("ICRP to 700 ns 40001 nr 50001"));
}

TEST_F(ResumedTunnelCallsTest, ARefusedCallGetsACdnWithoutAnIdOfOurs) {
    promote();
    receive(icrq(2, 700));
    const TunnelEffects refused =
        tunnel.end_call(call, CdnResult::administrative, "the gateway accepts no new clients", now);
    EXPECT_THAT(lines(refused), ElementsAre("CDN to 700 result 3 ns 5 nr 3",
                                            "CallEnded 700: the gateway accepts no new clients"));
    const test::L2tpSent cdn = test::open_datagram(std::get<SendDatagram>(refused[0]).bytes);
    EXPECT_EQ(cdn.assigned_session, 0);
    EXPECT_THAT(end(CdnResult::administrative), IsEmpty());
    // It may ask again.
    EXPECT_THAT(receive(icrq(3, 700, 6)), Contains("CallAsked 700"));
}

TEST_F(ResumedTunnelCallsTest, WhatThisNodeCannotDoIsRefusedAtOnce) {
    const struct {
        const char* description;
        L2tpPacket packet;
        const char* answer;
    } cases[] = {
        {"an outgoing call", message(MessageType::ocrq, 2, 5).u16(14, 700),
         "CDN to 700 result 4 ns 5 nr 3"},
        {"an unknown AVP with the M bit", icrq(2, 700).avp({.type = 99}),
         "CDN to 700 result 2 ns 5 nr 3"},
    };
    for (const auto& c : cases) {
        tunnel = ResumedTunnel(kTunnel);
        tunnel.add_session(quiet_session());
        promote();
        EXPECT_THAT(receive(c.packet), ElementsAre("ZLB ns 5 nr 3", c.answer)) << c.description;
    }
    // The error code says why (RFC 2661 4.4.2).
    const Bytes cdn = encode_cdn(CdnResult::unknown_avp, SessionId{0});
    const Bytes codes{0, 2, 0, 8};
    EXPECT_NE(std::search(cdn.begin(), cdn.end(), codes.begin(), codes.end()), cdn.end());
}

TEST_F(ResumedTunnelCallsTest, ADuplicateRequestChangesNothing) {
    promote();
    EXPECT_THAT(receive(icrq(2, 101)), ElementsAre("ZLB ns 5 nr 3"));  // A session's that lives.
    EXPECT_THAT(receive(icrq(3, 0)), ElementsAre("ZLB ns 5 nr 4"));
    connect(4, 700, 5);
    EXPECT_THAT(receive(icrq(6, 700, 6)), ElementsAre("ZLB ns 6 nr 7"));
    EXPECT_THAT(receive(iccn(7, 6)), ElementsAre("ZLB ns 6 nr 8"));
}

TEST_F(ResumedTunnelCallsTest, AnIccnOfNoCallGetsACdn) {
    promote();
    call.id = SessionId{4711};
    EXPECT_THAT(receive(iccn(2, 5)), ElementsAre("ZLB ns 5 nr 3", "CDN result 4 ns 5 nr 3"));
}

TEST_F(ResumedTunnelCallsTest, ThePeerEndsACallAtAnyStage) {
    promote();
    receive(icrq(2, 700));
    accept();
    EXPECT_THAT(receive(cdn(3, 6, 700)),
                ElementsAre("ZLB ns 6 nr 4", "CallEnded 700: peer sent CDN (result 3)"));
    connect(4, 701, 6);
    EXPECT_THAT(receive(cdn(6, 7, 701)),
                ElementsAre("ZLB ns 7 nr 7", "CallEnded 701: peer sent CDN (result 3)"));
    connect(7, 702, 7);
    EXPECT_THAT(receive(message(MessageType::cdn, 9, 8).u16(1, 3).u16(14, 702)),
                ElementsAre("ZLB ns 8 nr 10", "CallEnded 702: peer sent CDN (result 3)"));
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelCallsTest, NobodyEndsACallWithoutThePeersId) {
    promote();
    connect(2, 700, 5);
    EXPECT_THAT(receive(cdn(4, 6, 701)), ElementsAre("ZLB ns 6 nr 5"));
    EXPECT_EQ(tunnel.counters().unproven, 1U);
}

TEST_F(ResumedTunnelCallsTest, ACallThatIsNotConnectedInTimeIsGivenUp) {
    promote();
    receive(icrq(2, 700));
    accept();
    receive(L2tpPacket().to(0x1111).numbers(3, 6));
    EXPECT_THAT(at(limits::kL2tpCallMax - milliseconds(1)), IsEmpty());
    EXPECT_LE(tunnel.next_deadline(), kStart + limits::kL2tpCallMax);
    EXPECT_THAT(at(limits::kL2tpCallMax),
                IsSupersetOf({"CDN to 700 result 10 ns 6 nr 3",
                              "CallEnded 700: peer did not connect it in time"}));
    EXPECT_THAT(receive(iccn(3, 7)), Contains("CDN result 4 ns 7 nr 4"));
}

TEST_F(ResumedTunnelCallsTest, AConnectedCallHasNoDeadline) {
    promote();
    connect(2, 700, 5);
    EXPECT_GT(tunnel.next_deadline(), kStart + limits::kL2tpCallMax);
    EXPECT_THAT(at(limits::kL2tpCallMax + seconds(1)), IsEmpty());
}

TEST_F(ResumedTunnelCallsTest, AnIccnThatAsksForWhatIsUnknownEndsTheCall) {
    promote();
    receive(icrq(2, 700));
    accept();
    EXPECT_THAT(receive(iccn(3, 6).avp({.type = 99})),
                ElementsAre("ZLB ns 6 nr 4", "CDN to 700 result 2 ns 6 nr 4",
                            "CallEnded 700: peer sent an unknown request"));
}

TEST_F(ResumedTunnelCallsTest, ThePeerLearnsOfTheEndOfAPppd) {
    promote();
    connect(2, 700, 5);
    EXPECT_THAT(end(CdnResult::carrier_lost),
                ElementsAre("CDN to 700 result 1 ns 6 nr 4", "CallEnded 700: so it is"));
    EXPECT_THAT(end(CdnResult::carrier_lost), IsEmpty());
}

TEST_F(ResumedTunnelCallsTest, TheTunnelLivesAsLongAsACallIsLeft) {
    promote();
    connect(2, 700, 5);
    EXPECT_THAT(end_old(4, 6), ElementsAre("ZLB ns 6 nr 5", "SessionEnded 101"));
    EXPECT_TRUE(tunnel.has_sessions());
    EXPECT_THAT(end(CdnResult::carrier_lost),
                ElementsAre("CDN to 700 result 1 ns 6 nr 5", "CallEnded 700: so it is",
                            "StopCCN result 1 ns 7 nr 5"));
    EXPECT_FALSE(tunnel.has_sessions());
    EXPECT_THAT(receive(L2tpPacket().to(0x1111).numbers(5, 8)), ElementsAre("TunnelEnded: closed"));
}

TEST_F(ResumedTunnelCallsTest, ACallThatIsBeingSetUpHoldsTheTunnelToo) {
    promote();
    receive(icrq(2, 700));
    accept();
    EXPECT_THAT(end_old(3, 6), ElementsAre("ZLB ns 6 nr 4", "SessionEnded 101"));
    EXPECT_THAT(receive(iccn(4, 6)), Contains("CallConnected 700"));
}

TEST_F(ResumedTunnelCallsTest, WhatTheStockDaemonHasAgainLeavesTheCalls) {
    promote();
    connect(2, 700, 5);
    EXPECT_THAT(lines(tunnel.yield_session(session_record(1).key)), IsEmpty());
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelCallsTest, TheEndOfTheTunnelEndsItsCalls) {
    promote();
    connect(2, 700, 5);
    EXPECT_THAT(receive(message(MessageType::stopccn, 4, 6).u16(9, 0x2222).u16(1, 6)),
                ElementsAre("ZLB ns 6 nr 5", "SessionEnded 101",
                            "CallEnded 700: peer sent StopCCN (result 6)",
                            "TunnelEnded: peer sent StopCCN (result 6)"));
}

TEST_F(ResumedTunnelCallsTest, ATunnelThatIsBeingClosedTakesNoCall) {
    promote();
    EXPECT_THAT(end_old(2, 5), Contains("StopCCN result 1 ns 5 nr 3"));
    EXPECT_THAT(receive(icrq(3, 700)), Contains("CDN to 700 result 4 ns 6 nr 4"));
}

// Calls that were set up before this node was silent for a while.
TEST_F(ResumedTunnelCallsTest, ATunnelOfCallsAloneContinues) {
    tunnel = ResumedTunnel(kTunnel);
    call = {kTunnel, SessionId{77}, SessionId{700}};
    tunnel.add_call(call);
    promote();
    EXPECT_THAT(receive(icrq(2, 701)), Contains("CallAsked 701"));
    EXPECT_NE(call.id, SessionId{77});
    accept();
    call.id = SessionId{77};
    EXPECT_THAT(receive(cdn(3, 6, 700)), Contains("CallEnded 700: peer sent CDN (result 3)"));
}

// Nobody in it could be asked whether the peer lives: forgers would end it. The pppds ask.
TEST_F(ResumedTunnelCallsTest, ATunnelOfCallsAloneIsNotSuspected) {
    promote();
    connect(2, 700, 5);
    end_old(4, 6);
    const L2tpPacket sccrq = L2tpPacket(MessageType::sccrq).numbers(0, 0).u16(9, 77);
    EXPECT_THAT(receive(sccrq), IsEmpty());
    now += seconds(1);
    EXPECT_THAT(receive(sccrq), IsEmpty());
    EXPECT_THAT(at(limits::kL2tpSuspicionMax + seconds(1)), IsEmpty());
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelCallsTest, ASuspicionEndsWithTheLastThatCouldBeAsked) {
    promote();
    connect(2, 700, 5);
    const L2tpPacket sccrq = L2tpPacket(MessageType::sccrq).numbers(0, 0).u16(9, 77);
    receive(sccrq);
    now += seconds(1);
    receive(sccrq);
    end_old(4, 6);
    EXPECT_THAT(at(limits::kL2tpSuspicionMax), Each(Not(HasSubstr("Ended"))));
    EXPECT_TRUE(tunnel.has_sessions());
}

TEST_F(ResumedTunnelCallsTest, APeerThatAcknowledgesNothingGetsSoManyAnswers) {
    promote();
    int ns = 2;
    for (std::size_t n = 0; n < limits::kL2tpUnackedMax; ++n, ++ns) {
        EXPECT_THAT(receive(icrq(ns, static_cast<std::uint16_t>(700 + n))), SizeIs(2));
        accept();
    }
    EXPECT_THAT(receive(icrq(ns, 800)), ElementsAre("ZLB ns 9 nr 19"));
    EXPECT_EQ(tunnel.counters().unexpected, 1U);
}

}  // namespace resumed_tunnel_calls_test
}  // namespace vpnha::l2tp
