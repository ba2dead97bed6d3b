// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/control_channel.hpp"

#include <gmock/gmock.h>

#include <map>

#include "protocols/l2tp/model/limits.hpp"
#include "support/l2tp_builder.hpp"

namespace vpnha::l2tp {
namespace control_channel_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const TimePoint kStart{seconds(1000)};

class ControlChannelTest : public ::testing::Test {
  protected:
    void start(const ChannelOptions& options = {}) {
        channel = ControlChannel(TunnelId{0x2222}, options);
        channel.start(kStart);
    }

    // Proven numbers: ours and the peer's next.
    void synchronize(int ns, int nr) {
        start();
        zlb(nr, ns - 1);
        zlb(nr, ns);
        ASSERT_EQ(channel.state(), ControlChannel::State::synced);
        sent();
    }

    bool message(int ns, int nr, bool is_zlb = false) {
        ControlHeader header;
        header.ns = Seq16{static_cast<std::uint16_t>(ns)};
        header.nr = Seq16{static_cast<std::uint16_t>(nr)};
        return channel.on_message(header, is_zlb, now);
    }
    void zlb(int ns, int nr) { EXPECT_FALSE(message(ns, nr, true)); }

    void send(CdnResult result = CdnResult::administrative) {
        channel.send(SessionId{101}, encode_cdn(result, SessionId{1}), now);
    }

    std::vector<std::string> sent() {
        std::vector<std::string> lines;
        for (const Bytes& datagram : channel.take_datagrams()) {
            EXPECT_EQ(test::open_datagram(datagram).header.tunnel, TunnelId{0x2222});
            lines.push_back(test::describe(datagram));
        }
        return lines;
    }

    std::vector<std::string> sent_at(Duration since_start) {
        now = kStart + since_start;
        channel.on_time(now);
        return sent();
    }

    ControlChannel channel{TunnelId{0x2222}, ChannelOptions{}};
    TimePoint now = kStart;
};

TEST_F(ControlChannelTest, LearnsItsNumbersFromTheAnswerToAnOldProbe) {
    start();
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 0"));
    zlb(2, 4);
    EXPECT_EQ(channel.state(), ControlChannel::State::probing);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 4 nr 0"));
    zlb(2, 5);
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
    send();
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 0"));
}

TEST_F(ControlChannelTest, IsSilentBeforeItsStart) {
    EXPECT_FALSE(message(2, 5));
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_FALSE(channel.next_deadline().has_value());
}

TEST_F(ControlChannelTest, SendsNothingElseWhileItsNumbersAreUnproven) {
    start();
    send();
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 0"));
    zlb(2, 4);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 4 nr 0"));
    zlb(2, 5);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 0"));
}

TEST_F(ControlChannelTest, AStaleAnswerOnlyCostsAnotherProbe) {
    start();
    sent();
    zlb(2, 3);  // Sent by the peer to the dead node, before its last message was acknowledged.
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 3 nr 0"));
    zlb(2, 5);  // The duplicate's acknowledgement: the right number.
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 5 nr 0"));
    zlb(2, 3);  // Late.
    EXPECT_THAT(sent(), IsEmpty());
    zlb(2, 6);
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
}

TEST_F(ControlChannelTest, LearnsFromThePeersOwnMessageToo) {
    start();
    sent();
    EXPECT_TRUE(message(4, 7));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 7 nr 0", "ZLB ns 7 nr 5"));
    zlb(5, 8);
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
}

TEST_F(ControlChannelTest, SynchronizesAcrossTheWrap) {
    const struct {
        int ns;
        int nr;
    } cases[] = {{1, 0}, {2, 3}, {32767, 65534}, {32768, 1}};
    for (const auto& c : cases) {
        start();
        EXPECT_EQ(sent().front(), "HELLO ns 0 nr 0");
        zlb(c.nr, c.ns);
        zlb(c.nr, c.ns + 1);
        EXPECT_EQ(channel.state(), ControlChannel::State::synced) << c.ns;
        EXPECT_TRUE(message(c.nr, c.ns + 1)) << c.ns;
        EXPECT_TRUE(message((c.nr + 1) % 65536, c.ns + 1)) << c.ns;
        EXPECT_FALSE(message(c.nr, c.ns + 1)) << c.ns;
    }
}

// An old answer of the peer to the dead node is no answer to the probe, which is at 0 too.
TEST_F(ControlChannelTest, TakesNoFirstAnswerForAProof) {
    start();
    sent();
    zlb(65530, 1);
    EXPECT_EQ(channel.state(), ControlChannel::State::probing);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 1 nr 0"));
    zlb(65530, 2);
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
}

// A peer that has received more than 32 768 messages, and that sends none of its own.
TEST_F(ControlChannelTest, LearnsItsNumbersInTheUpperHalfFromTheNextSeries) {
    for (const int ns : {32770, 40000, 65535}) {
        start();
        for (const int at : {1, 3, 7, 15, 23, 31}) {
            EXPECT_THAT(sent_at(seconds(at)), Each(HasSubstr("HELLO ns 0"))) << ns;
        }
        EXPECT_THAT(sent_at(seconds(91)), ElementsAre("HELLO ns 32768 nr 0")) << ns;
        zlb(2, ns);
        EXPECT_THAT(sent(), ElementsAre("HELLO ns " + std::to_string(ns) + " nr 0"));
        zlb(2, (ns + 1) % 65536);
        EXPECT_EQ(channel.state(), ControlChannel::State::synced) << ns;
    }
}

TEST_F(ControlChannelTest, TakesTheTwoOldNumbersInTurn) {
    start();
    for (const int began : {0, 91, 182}) {
        for (const int at : {1, 3, 7, 15, 23, 31}) {
            sent_at(seconds(began + at));
        }
        const char* const next = began == 91 ? "HELLO ns 0 nr 0" : "HELLO ns 32768 nr 0";
        EXPECT_THAT(sent_at(seconds(began + 91)), ElementsAre(next)) << began;
    }
}

TEST_F(ControlChannelTest, RetransmitsProbesAndThenOnlyListens) {
    start();
    sent();
    EXPECT_THAT(sent_at(milliseconds(999)), IsEmpty());
    for (const int at : {1, 3, 7, 15, 23}) {
        EXPECT_EQ(channel.next_deadline(), kStart + seconds(at));
        EXPECT_THAT(sent_at(seconds(at)), ElementsAre("HELLO ns 0 nr 0")) << at;
    }
    EXPECT_FALSE(channel.went_unanswered());
    EXPECT_THAT(sent_at(seconds(31)), IsEmpty());
    EXPECT_EQ(channel.state(), ControlChannel::State::unanswered);
    EXPECT_TRUE(channel.went_unanswered());
    EXPECT_FALSE(channel.went_unanswered());
    EXPECT_THAT(sent_at(seconds(91)), ElementsAre("HELLO ns 32768 nr 0"));
    EXPECT_EQ(channel.state(), ControlChannel::State::probing);
    EXPECT_EQ(channel.counters().retransmissions, 5U);
}

TEST_F(ControlChannelTest, BelievesAnyNumberAfterUnansweredProbes) {
    start();
    for (const int at : {1, 3, 7, 15, 23, 31}) {
        sent_at(seconds(at));
    }
    // More than 32 768 messages: 0 was no old number to this peer.
    EXPECT_TRUE(message(50000, 40000));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 40000 nr 0", "ZLB ns 40000 nr 50001"));
    zlb(50001, 40001);
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
}

TEST_F(ControlChannelTest, BelievesAnewAfterProbesAtAForgedNumber) {
    start();
    zlb(2, 1000);
    sent();
    zlb(2, 5);  // Behind what it believes: ignored.
    EXPECT_THAT(sent(), IsEmpty());
    for (const int at : {1, 3, 7, 15, 23, 31}) {
        sent_at(seconds(at));
    }
    zlb(2, 5);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 5 nr 0"));
}

TEST_F(ControlChannelTest, AFirstMessageMayBeStaleToo) {
    start();
    EXPECT_TRUE(message(20, 7));
    EXPECT_TRUE(message(19, 7));
    EXPECT_FALSE(message(20, 7));
    zlb(21, 8);
    sent();
    EXPECT_FALSE(message(23, 8));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 8 nr 21"));
    zlb(24, 9);
    EXPECT_TRUE(message(23, 9));
}

TEST_F(ControlChannelTest, AcknowledgesEachMessageOnceHandledAndDuplicatesAgain) {
    synchronize(5, 2);
    EXPECT_TRUE(message(2, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 3"));
    EXPECT_TRUE(message(3, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 4"));
    EXPECT_FALSE(message(3, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 4", "HELLO ns 5 nr 4"));
    EXPECT_EQ(channel.counters().duplicates, 1U);
}

TEST_F(ControlChannelTest, DropsWhatIsAheadOfTheExpectedMessage) {
    synchronize(5, 2);
    EXPECT_TRUE(message(2, 5));
    sent();
    EXPECT_FALSE(message(4, 5));
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_FALSE(message(32769, 5));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 5 nr 3"));
    EXPECT_EQ(channel.counters().out_of_window, 2U);
    EXPECT_TRUE(message(3, 5));
    EXPECT_TRUE(message(4, 5));
}

// What the dead node had not acknowledged is retransmitted, in any order.
TEST_F(ControlChannelTest, HandlesWhatTheDeadNodeMayHaveLeft) {
    synchronize(5, 20);
    EXPECT_TRUE(message(19, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 20"));
    EXPECT_TRUE(message(18, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 20"));
    EXPECT_TRUE(message(4, 5));
    EXPECT_FALSE(message(3, 5));
    EXPECT_TRUE(message(19, 5));
    EXPECT_TRUE(message(20, 5));
    EXPECT_FALSE(message(20, 5));
}

// From then on the peer retransmits to this node alone, in order.
TEST_F(ControlChannelTest, HandlesTheNextMessageOnlyOnceItsNumberIsProven) {
    synchronize(5, 20);
    EXPECT_TRUE(message(20, 5));
    sent();
    EXPECT_FALSE(message(19, 5));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 5 nr 20", "HELLO ns 5 nr 21"));
    EXPECT_FALSE(message(22, 5));
    EXPECT_TRUE(message(21, 5));
}

TEST_F(ControlChannelTest, AcknowledgesNothingThatItHasNotSeen) {
    synchronize(5, 40);
    send();
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 24"));
    EXPECT_TRUE(message(39, 6));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 6 nr 40"));
}

TEST_F(ControlChannelTest, AsksWhereThePeerStandsWhenItLearnedAStaleNumber) {
    synchronize(5, 2);
    EXPECT_FALSE(message(4, 5));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 5 nr 0"));
    EXPECT_FALSE(message(4, 5));
    EXPECT_THAT(sent(), IsEmpty());
    zlb(5, 6);
    EXPECT_TRUE(message(4, 6));
    EXPECT_TRUE(message(5, 6));
    zlb(9, 6);  // From here on the peer's retransmissions fill gaps.
    EXPECT_FALSE(message(8, 6));
    EXPECT_TRUE(message(6, 6));
}

// What it has sent goes again with the same number, where the peer has not got it.
TEST_F(ControlChannelTest, LearnsAnewFromAnAcknowledgementOfWhatWasNeverSent) {
    synchronize(5, 2);
    send();
    sent();
    zlb(2, 7);
    EXPECT_EQ(channel.counters().out_of_window, 1U);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 0"));
    EXPECT_FALSE(channel.idle());
    zlb(2, 5);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 0"));
    zlb(2, 6);
    EXPECT_TRUE(channel.idle());
}

TEST_F(ControlChannelTest, TwoForgedNumbersDoNotKeepTheTrueOnesOut) {
    for (const int forged : {1, 300, 40000}) {
        for (const int ns : {5, 200, 400, 32000}) {
            start();
            zlb(9, forged);
            zlb(9, forged + 1);
            EXPECT_EQ(channel.state(), ControlChannel::State::synced);
            sent();
            EXPECT_TRUE(message(2, ns));
            EXPECT_THAT(sent().front(), HasSubstr("HELLO ns 0")) << forged;
            zlb(3, ns);
            zlb(3, ns + 1);
            EXPECT_EQ(channel.state(), ControlChannel::State::synced) << forged << " " << ns;
            EXPECT_TRUE(message(3, ns + 1)) << forged << " " << ns;
            sent();
        }
    }
}

TEST_F(ControlChannelTest, AnAcknowledgementForgedWhileAMessageWasLostIsTakenBack) {
    synchronize(5, 2);
    send();
    zlb(2, 6);
    EXPECT_TRUE(channel.idle());
    send(CdnResult::carrier_lost);
    sent();
    EXPECT_TRUE(message(2, 5));  // The right number.
    sent();
    zlb(3, 5);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 3"));
    zlb(3, 6);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 1 ns 6 nr 3"));
    zlb(3, 7);
    EXPECT_TRUE(channel.idle());
}

TEST_F(ControlChannelTest, AForgedZlbMovesTheExpectedNumberNotForGood) {
    start();
    zlb(9000, 5);
    zlb(2, 6);  // It acknowledges the probe: the peer has sent it just now.
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
    zlb(9000, 6);
    sent();
    EXPECT_TRUE(message(2, 6));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 6 nr 3"));
}

TEST_F(ControlChannelTest, UntilItIsSyncedItBelievesThePeersLatestMessage) {
    start();
    EXPECT_TRUE(message(9000, 5));
    EXPECT_TRUE(message(2, 5));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 0", "HELLO ns 5 nr 0", "ZLB ns 5 nr 9001",
                                    "ZLB ns 5 nr 3"));
}

TEST_F(ControlChannelTest, AForgedProofOfTheExpectedNumberIsTakenBack) {
    start();
    EXPECT_TRUE(message(9000, 5));
    EXPECT_TRUE(message(9001, 5));
    zlb(9002, 6);
    EXPECT_TRUE(message(9002, 6));
    sent();
    EXPECT_FALSE(message(2, 6));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 6 nr 9003"));
    zlb(3, 7);  // Of the peer, which has sent message 2.
    EXPECT_TRUE(message(2, 7));
    EXPECT_THAT(sent(), ElementsAre("ZLB ns 7 nr 3"));
}

TEST_F(ControlChannelTest, AsksAtMostOnceASecondWhereThePeerStands) {
    synchronize(5, 2);
    EXPECT_FALSE(message(9000, 5));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 5 nr 0"));
    zlb(2, 6);
    for (int n = 1; n < 100; ++n) {
        EXPECT_FALSE(message(9000 + n, 6));
        EXPECT_THAT(sent(), IsEmpty());
    }
    now += limits::kL2tpRetransmitFirst;
    EXPECT_FALSE(message(9000, 6));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 6 nr 0"));
}

TEST_F(ControlChannelTest, KeepsFourInFlightAndTheRestInOrder) {
    synchronize(65532, 2);
    for (int n = 0; n < 6; ++n) {
        send(n % 2 == 0 ? CdnResult::administrative : CdnResult::carrier_lost);
    }
    EXPECT_THAT(
        sent(),
        ElementsAre("CDN to 101 result 3 ns 65532 nr 0", "CDN to 101 result 1 ns 65533 nr 0",
                    "CDN to 101 result 3 ns 65534 nr 0", "CDN to 101 result 1 ns 65535 nr 0"));
    zlb(2, 65534);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 0", "CDN to 101 result 3 ns 1 nr 0"));
    zlb(2, 1);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 1 ns 2 nr 0"));
    zlb(2, 3);
    EXPECT_TRUE(channel.idle());
}

// The first probe was ahead of what the peer expected, so it may take it when it comes there.
TEST_F(ControlChannelTest, SendsAHelloWhereAProbeWasSentAhead) {
    start();
    sent();
    EXPECT_TRUE(message(2, 65535));
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 65535 nr 0", "ZLB ns 65535 nr 3"));
    zlb(3, 0);
    EXPECT_THAT(sent(), ElementsAre("HELLO ns 0 nr 3"));
    zlb(3, 1);
    EXPECT_TRUE(channel.idle());
    send();
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 1 nr 3"));
}

// Whoever forges the peer's Nr makes this side probe where it likes, as often as it likes.
TEST_F(ControlChannelTest, NoNumberIsUsedForTwoMessagesHoweverManyAreForged) {
    synchronize(5, 2);
    std::map<std::uint16_t, std::string> contents;
    const auto note_sent = [&] {
        for (const std::string& line : sent()) {
            const std::size_t at = line.find(" ns ");
            const std::string content = line.substr(0, at);
            if (content == "ZLB") {
                continue;
            }
            const auto ns = static_cast<std::uint16_t>(std::stoi(line.substr(at + 4)));
            EXPECT_EQ(contents.try_emplace(ns, content).first->second, content) << "ns " << ns;
        }
    };
    for (int round = 0; round < 40; ++round) {
        // It is led ahead, and synced there; a session ends; 60 more numbers are forged.
        const int wrong = 40'000 + 11 * round;
        zlb(2, wrong);
        zlb(2, wrong);
        zlb(2, wrong + 1);
        note_sent();
        send(round % 2 == 0 ? CdnResult::administrative : CdnResult::carrier_lost);
        note_sent();
        for (int n = 0; n < 60; ++n) {
            zlb(2, 6 + (7 * n + round) % 40);
            zlb(2, 40'000 + (13 * n + round) % 500);
            note_sent();
        }
        now += seconds(1);
        channel.on_time(now);
        note_sent();
    }
    EXPECT_GT(contents.size(), 200U);
}

TEST_F(ControlChannelTest, RetransmitsWithTheSameNumberAndTheCurrentNr) {
    synchronize(5, 2);
    send();
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 0"));
    message(2, 5);
    sent();
    for (const int at : {1, 3, 7, 15, 23}) {
        EXPECT_THAT(sent_at(seconds(at)), ElementsAre("CDN to 101 result 3 ns 5 nr 3")) << at;
    }
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
    EXPECT_FALSE(channel.went_unanswered());
    EXPECT_THAT(sent_at(seconds(31)), IsEmpty());
    EXPECT_EQ(channel.state(), ControlChannel::State::unanswered);
    EXPECT_TRUE(channel.went_unanswered());
    EXPECT_EQ(channel.next_deadline(), kStart + seconds(91));
    zlb(3, 5);
    EXPECT_THAT(sent(), ElementsAre("CDN to 101 result 3 ns 5 nr 3"));
}

TEST_F(ControlChannelTest, SendsHelloWhenThePeerWasQuietForOneInterval) {
    synchronize(5, 2);
    EXPECT_EQ(channel.next_deadline(), kStart + seconds(60));
    now = kStart + seconds(30);
    message(2, 5);
    sent();
    EXPECT_THAT(sent_at(seconds(60)), IsEmpty());
    EXPECT_THAT(sent_at(seconds(90)), ElementsAre("HELLO ns 5 nr 3"));
    EXPECT_THAT(sent_at(milliseconds(90'500)), IsEmpty());
    zlb(3, 6);
    EXPECT_EQ(channel.next_deadline(), kStart + milliseconds(150'500));
}

TEST_F(ControlChannelTest, SendsNoHelloWithIntervalZero) {
    start({.hello_interval = Duration::zero()});
    zlb(2, 4);
    zlb(2, 5);
    EXPECT_FALSE(channel.next_deadline().has_value());
}

TEST_F(ControlChannelTest, IsCrowdedAtItsBoundAndStillTakesEndsOfSessions) {
    synchronize(5, 2);
    for (std::size_t n = 0; n < limits::kL2tpUnackedMax; ++n) {
        EXPECT_FALSE(channel.crowded(now));
        send();
    }
    EXPECT_TRUE(channel.crowded(now));
    send();
    EXPECT_EQ(channel.state(), ControlChannel::State::synced);
}

}  // namespace control_channel_test
}  // namespace vpnha::l2tp
