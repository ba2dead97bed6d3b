// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/resumed_call.hpp"

#include <gmock/gmock.h>

#include "support/random.hpp"
#include "unit/protocols/pptp/model/resumed_call_fixture.hpp"

namespace vpnha::pptp {
namespace resumed_call_test {

using namespace std::chrono_literals;
using test::CallWorld;
using test::ModelClient;
using test::ResumedCallTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Clients, ResumedCallTest,
                         ::testing::Values(ModelClient::Kind::pptp_linux,
                                           ModelClient::Kind::kernel));

TEST_P(ResumedCallTest, WithFinalNumbersItContinuesAtOnceAndWastesNone) {
    for (const Mppe mppe : {Mppe::none, Mppe::bits128}) {
        CallWorld world(GetParam(), mppe);
        be_known(world);
        world.call->resume(true, 0, world.now, world);
        EXPECT_EQ(world.how, "exact");
        EXPECT_THAT(world.probes, IsEmpty());
        ASSERT_THAT(world.sockets, SizeIs(1));
        EXPECT_EQ(world.sockets[0].snd_nxt, world.known.snd_nxt);
        EXPECT_EQ(world.sockets[0].rcv_nxt, world.known.rcv_nxt);
        const std::uint32_t data = world.send_data();
        world.client.send_data(5, world.now);
        world.run(20ms);
        EXPECT_THAT(world.numbers_sent, ::testing::Contains(101U));
        EXPECT_EQ(world.client.data.back(), data);
        EXPECT_THAT(world.delivered, ElementsAre(5U));
        EXPECT_EQ(world.indexes_reused, 0);
        if (mppe != Mppe::none) {
            EXPECT_EQ(world.call->numbers(world.now).mppe_out, 101U);
        }
    }
}

TEST_P(ResumedCallTest, NumbersThatMissNothingAreFoundOnRungZeroInOneRound) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    const TimePoint begun = world.now;
    ASSERT_TRUE(world.run_until_resumed(1s));
    EXPECT_LE(world.resumed_at - begun, 25ms);
    EXPECT_THAT(world.how, HasSubstr("rung 0"));
    const std::uint32_t data = world.send_data();
    world.run(20ms);
    EXPECT_EQ(world.client.data.back(), data);
    EXPECT_EQ(world.indexes_reused, 0);
    EXPECT_EQ(world.counters.resets, 0U);
}

TEST_P(ResumedCallTest, NumbersThatMissHundredsAreFoundOnTheLadder) {
    for (const int missed : {1, 4, 300, 512, 600, 1500, 4000}) {
        CallWorld world(GetParam(), Mppe::bits128);
        be_known(world);
        world.stock_sends(missed);
        world.forget_sent();
        world.call->resume(false, 0, world.now, world);
        const TimePoint begun = world.now;
        ASSERT_TRUE(world.run_until_resumed(2s)) << missed;
        EXPECT_LE(world.resumed_at - begun, 450ms) << missed;
        for (int i = 0; i < 10; ++i) {
            const std::uint32_t data = world.send_data();
            world.run(20ms);
            EXPECT_EQ(world.client.data.back(), data) << missed;
        }
        EXPECT_EQ(world.indexes_reused, 0) << missed;
        EXPECT_EQ(world.counters.resets, 0U) << missed;
    }
}

// F3. Its answers are the only proof; each failover cost it 60 s, and then its call.
TEST(ResumedCallOfAndroidTest, AnAnswerOfAClientThatNeverAcknowledgesIsProofEnough) {
    for (const int missed : {0, 1, 300, 600, 1500, 4000}) {
        CallWorld world(ModelClient::Kind::android, Mppe::bits128);
        world.known.never_acknowledges = true;
        world.stock_sends(100);
        world.checkpoint();
        world.stock_sends(missed);
        world.call->resume(false, 0, world.now, world);
        const TimePoint begun = world.now;
        ASSERT_TRUE(world.run_until_resumed(3s)) << missed;
        EXPECT_LE(world.resumed_at - begun, missed <= 1 ? 100ms : 2s) << missed;
        EXPECT_TRUE(world.call->numbers(world.now).never_acknowledges);
        for (int i = 0; i < 10; ++i) {
            const std::uint32_t data = world.send_data();
            world.run(20ms);
            EXPECT_EQ(world.client.data.back(), data) << missed;
        }
        EXPECT_EQ(world.indexes_reused, 0) << missed;
    }
}

TEST_P(ResumedCallTest, MoreThanALadderAtOnceTakesLonger) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.stock_sends(5000);
    world.forget_sent();
    world.call->resume(false, 0, world.now, world);
    // The client is heard, so that it is there.
    for (int i = 0; i < 100 && world.how.empty(); ++i) {
        world.client.send_data(1, world.now);
        world.run(50ms);
    }
    ASSERT_FALSE(world.how.empty());
    const std::uint32_t data = world.send_data();
    world.run(20ms);
    EXPECT_EQ(world.client.data.back(), data);
    EXPECT_EQ(world.indexes_reused, 0);
}

TEST_P(ResumedCallTest, AnUnacknowledgedPacketReportsHowFarTheClientHasCome) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.stock_sends(700);
    world.client.sent.clear();
    // It has acknowledged less than it has got.
    world.call->resume(false, 0, world.now, world);
    const auto header = encode_gre_header(test::sample_call().key.id, std::nullopt, 750, 0);
    world.call->on_gre(header.view(), world.now, world);
    ASSERT_TRUE(world.run_until_resumed(2s));
    const std::uint32_t data = world.send_data();
    world.run(20ms);
    EXPECT_EQ(world.client.data.back(), data);
    EXPECT_EQ(world.indexes_reused, 0);
}

TEST_P(ResumedCallTest, DataOfTheClientComesInBeforeTheLadderHasAnAnswer) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.client.is_deaf = true;
    world.call->resume(false, 0, world.now, world);
    for (std::uint32_t i = 1; i <= 3; ++i) {
        world.client.send_data(i, world.now);
        world.run(10ms);
    }
    EXPECT_THAT(world.delivered, ElementsAre(1U, 2U, 3U));
    EXPECT_TRUE(world.how.empty());
    world.call->on_packet(mppe::test::ip_packet(9), world);
    EXPECT_EQ(world.call->numbers(world.now).mppe_out, world.known.mppe_out);
    // It is asked for as long as it may live.
    world.run(61s);
    EXPECT_THAT(world.ended_by, ElementsAre("peer does not answer"));
}

TEST_P(ResumedCallTest, NoIndexIsUsedTwiceAndAllIsTakenWhateverIsLost) {
    std::uint32_t resumed = 0;
    for (std::uint32_t seed = 1; seed <= vpnha::test::drawn(60); ++seed) {
        CallWorld world(GetParam(), Mppe::bits128, seed);
        std::mt19937 random(seed);
        const auto until = [&](int most) {
            return std::uniform_int_distribution<>(0, most)(random);
        };
        world.stock_sends(until(200), 0.05);
        world.forget_sent();
        world.checkpoint();
        // Up to 4 s at 1 000 packets a second; then its links fail before it does.
        world.stock_sends(until(1) == 0 ? 0 : until(4000), 0.05);
        world.stock_sends(until(300), 1);
        world.forget_sent();
        world.loss = 0.02 * until(5);
        world.delay = std::chrono::milliseconds(1 + until(60));
        world.call->resume(false, 0, world.now, world);
        for (int i = 0; i < 80 && world.how.empty() && world.ended_by.empty(); ++i) {
            world.client.send_data(1, world.now);
            world.run(50ms);
        }
        if (world.how.empty()) {
            continue;
        }
        ++resumed;
        world.loss = 0;
        std::vector<std::uint32_t> sent;
        world.client.data.clear();
        for (int i = 0; i < 20; ++i) {
            sent.push_back(world.send_data());
            world.run(10ms);
        }
        world.run(1s);
        EXPECT_EQ(world.client.data, sent) << seed << " " << world.how;
        EXPECT_EQ(world.indexes_reused, 0) << seed << " " << world.how;
        EXPECT_EQ(world.counters.resets, 0U) << seed << " " << world.how;
        std::vector<std::uint32_t> numbers = world.numbers_sent;
        std::ranges::sort(numbers);
        if (world.how.find("rung 0") != std::string::npos) {
            EXPECT_EQ(std::ranges::adjacent_find(numbers), numbers.end()) << seed;
        }
    }
    EXPECT_GE(resumed, vpnha::test::drawn(60) - 2);
}

TEST_P(ResumedCallTest, ThreeNodesInARowContinueWithIt) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    for (int node = 0; node < 3; ++node) {
        world.how.clear();
        world.call->resume(node == 1, 0, world.now, world);
        ASSERT_TRUE(!world.how.empty() || world.run_until_resumed(1s));
        std::uint32_t data = 0;
        for (int i = 0; i < 50; ++i) {
            data = world.send_data();
            world.client.send_data(static_cast<std::uint32_t>(i), world.now);
            world.run(5ms);
        }
        world.run(200ms);
        EXPECT_EQ(world.client.data.back(), data);
        EXPECT_EQ(world.delivered.size(), 50U * static_cast<unsigned>(node + 1));
        const CallNumbers numbers = world.call->numbers(world.now);
        world.move_on(numbers, world.now);
        while (!world.call->catch_up(100)) {
        }
    }
    EXPECT_EQ(world.indexes_reused, 0);
    EXPECT_EQ(world.counters.resets, 0U);
}

TEST_P(ResumedCallTest, PausedItReportsNothingAndContinuesWhereItWas) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    world.send_data();
    world.run(20ms);
    world.call->pause(world.now);
    const std::size_t sent = world.numbers_sent.size();
    const std::size_t emitted = world.emitted.size();
    EXPECT_EQ(world.call->next_deadline(), std::nullopt);
    EXPECT_EQ(world.call->numbers(world.now).mppe_out, 101U);
    world.call->on_packet(mppe::test::ip_packet(1), world);
    world.client.send_data(1, world.now);
    world.run(100s);
    EXPECT_EQ(world.numbers_sent.size(), sent);
    EXPECT_EQ(world.emitted.size(), emitted);
    world.call->resume(false, 0, world.now, world);
    EXPECT_EQ(world.call->state(), ResumedCall::State::running);
    const std::uint32_t data = world.send_data();
    world.run(20ms);
    EXPECT_EQ(world.client.data.back(), data);
    EXPECT_THAT(world.sockets, SizeIs(1));
    // Before the ladder had an answer.
    CallWorld early(GetParam(), Mppe::bits128);
    be_known(early);
    early.call->resume(false, 0, early.now, early);
    early.call->pause(early.now);
    early.call->resume(false, 0, early.now, early);
    EXPECT_TRUE(early.run_until_resumed(1s));
}

TEST_P(ResumedCallTest, WhatItMissesInAPauseOrAMoveIsJumpedOver) {
    for (const bool moves : {false, true}) {
        for (const std::uint32_t lost :
             {100U, 2000U, 2100U, 4096U, 5000U, vpnha::test::drawn(100'000)}) {
            CallWorld world(GetParam(), Mppe::bits128);
            be_running(world);
            world.client.send_data(1, world.now);
            world.run(20ms);
            world.call->pause(world.now);
            if (moves) {
                const CallNumbers numbers = world.call->numbers(world.now);
                world.move_on(numbers, world.now);
            }
            for (std::uint32_t i = 0; i < lost; ++i) {
                world.client.send_data(2, world.now);
                world.client.sent.clear();
            }
            // An echo is the first that comes through.
            world.client.send(frame({0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 0x22, 0x22, 0x22, 0x22}),
                              world.now);
            world.call->resume(true, 0, world.now, world);
            world.run(20ms);
            world.client.send_data(3, world.now);
            world.client.send_data(4, world.now);
            world.run(20ms);
            EXPECT_THAT(world.delivered, ElementsAre(1, 3, 4)) << moves << lost;
            EXPECT_THAT(world.ended_by, IsEmpty());
        }
    }
}

TEST_P(ResumedCallTest, TheProbeFindsTheSocketAndTheEchoThatIsWaitedFor) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    // Two requests and one reply that nobody here has heard of.
    world.client_seq += 32;
    world.client_ack += 20;
    world.call->resume(false, 0, world.now, world);
    ASSERT_TRUE(world.run_until_resumed(1s));
    EXPECT_EQ(world.probes.front().sequence, world.known.snd_nxt - 1);
    EXPECT_EQ(world.probes.front().acknowledgement, world.known.rcv_nxt);
    ASSERT_THAT(world.sockets, SizeIs(1));
    EXPECT_EQ(world.sockets[0].snd_nxt, world.known.snd_nxt + 20);
    EXPECT_EQ(world.sockets[0].rcv_nxt, world.known.rcv_nxt + 32);
    EXPECT_EQ(world.sockets[0].snd_wnd, 65536U);
    EXPECT_EQ(world.sockets[0].peer_tsval, 77U);
    EXPECT_THAT(world.emitted, ElementsAre(build_echo_reply(9)));
}

TEST_P(ResumedCallTest, AnEchoThatWasOpenIsAnsweredInAnyCase) {
    for (const bool exact : {false, true}) {
        CallWorld world(GetParam(), Mppe::bits128);
        world.known.echo_open = true;
        be_known(world);
        world.call->resume(exact, 0, world.now, world);
        world.run(50ms);
        EXPECT_THAT(world.emitted, ElementsAre(build_echo_reply(7)));
    }
}

TEST_P(ResumedCallTest, ACallThatItsClientHadClearedEnds) {
    for (const bool exact : {false, true}) {
        CallWorld world(GetParam(), Mppe::bits128);
        world.known.hung_up = true;
        be_known(world);
        // The dead node had acknowledged it.
        world.client_seq += exact ? 0U : 16U;
        world.call->resume(exact, 0, world.now, world);
        world.run(50ms);
        EXPECT_THAT(world.emitted, ElementsAre(build_call_disconnect_notify(world.id())));
        EXPECT_THAT(world.ended_by, ElementsAre(HasSubstr("hung up")));
        EXPECT_EQ(world.cause, EndCause::user_request);
    }
}

TEST_P(ResumedCallTest, AClientThatHadStoppedGetsItsReply) {
    for (const bool answers : {false, true}) {
        CallWorld world(GetParam(), Mppe::bits128);
        world.answers_probes = answers;
        world.known.hung_up = true;
        world.known.stop_open = true;
        world.known.echo_open = true;
        be_known(world);
        world.call->resume(false, 0, world.now, world);
        world.run(1'500ms);
        EXPECT_THAT(world.emitted,
                    ElementsAre(build_stop_reply(), build_call_disconnect_notify(world.id())));
        EXPECT_THAT(world.ended_by, ElementsAre(HasSubstr("hung up")));
    }
}

TEST_P(ResumedCallTest, ACallThatIsOverAcknowledgesNothing) {
    CallWorld world(GetParam(), Mppe::bits128);
    world.answers_probes = false;
    world.known.hung_up = true;
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    world.client.send_data(1, world.now);
    // Both are due when it is looked at again.
    const Bytes packet = world.client.sent.front();
    world.client.sent.clear();
    world.call->on_gre(packet, world.now, world);
    world.now += 2s;
    world.call->on_time(world.now, world);
    EXPECT_THAT(world.ended_by, SizeIs(1));
    EXPECT_EQ(world.sent_when_over, 0);
}

TEST_P(ResumedCallTest, WithoutAnAnswerTheSocketHasWhatIsKnown) {
    CallWorld world(GetParam(), Mppe::bits128);
    world.answers_probes = false;
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    world.run(900ms);
    EXPECT_THAT(world.sockets, IsEmpty());
    EXPECT_GE(world.probes.size(), 8U);
    world.run(300ms);
    ASSERT_THAT(world.sockets, SizeIs(1));
    EXPECT_EQ(world.sockets[0].snd_nxt, world.known.snd_nxt);
    EXPECT_THAT(world.emitted, IsEmpty());
}

TEST_P(ResumedCallTest, AResetOfTheConnectionEndsTheCall) {
    CallWorld world(GetParam(), Mppe::bits128);
    world.answers_probes = false;
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    PeerSegment forged;
    forged.rst = true;
    for (const std::uint32_t wrong : {0xffff'ffffU, 1U, 1000U, 16'000U}) {
        forged.sequence = world.known.rcv_nxt + wrong;
        world.call->on_segment(forged, world.now, world);
        EXPECT_THAT(world.ended_by, IsEmpty()) << wrong;
    }
    forged.sequence = world.known.rcv_nxt;
    world.call->on_segment(forged, world.now, world);
    EXPECT_THAT(world.ended_by, ElementsAre("peer knows no such connection"));
}

}  // namespace resumed_call_test
}  // namespace vpnha::pptp
