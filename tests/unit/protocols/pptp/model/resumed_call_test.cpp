// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/model/resumed_call.hpp"

#include <gmock/gmock.h>

#include "unit/protocols/pptp/model/call_world.hpp"

namespace vpnha::pptp {
namespace resumed_call_test {

using namespace std::chrono_literals;
using test::CallWorld;
using test::ModelClient;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ResumedCallTest : public ::testing::TestWithParam<ModelClient::Kind> {
  protected:
    // A call that went on for a while, known up to 100 packets.
    void be_known(CallWorld& world) {
        world.stock_sends(100);
        world.forget_sent();
        world.checkpoint();
    }
    // A call that runs here.
    void be_running(CallWorld& world) {
        be_known(world);
        world.call->resume(true, 0, world.now, world);
        ASSERT_EQ(world.call->state(), ResumedCall::State::running);
    }
    // What somebody sends who knows the client's address and the id of the call.
    static void forge(CallWorld& world, std::optional<std::uint32_t> number,
                      std::optional<std::uint32_t> acknowledged, ByteView payload) {
        const auto header =
            encode_gre_header(CallWorld::id(), number, acknowledged, payload.size());
        Bytes packet(header.view().begin(), header.view().end());
        packet.insert(packet.end(), payload.begin(), payload.end());
        world.call->on_gre(packet, world.now, world);
    }
    static void forge_some(CallWorld& world, std::mt19937& random) {
        const auto octet = [&random] { return static_cast<std::uint8_t>(random()); };
        Bytes clear{0xff, 3, 0, 0x21};
        const Bytes packet = mppe::test::ip_packet(0xbad);
        clear.insert(clear.end(), packet.begin(), packet.end());
        const std::vector<Bytes> frames{
            clear,
            {0xff, 3, 0, 0xfd, static_cast<std::uint8_t>(0x90 | (octet() & 15)), octet(), 1, 2, 3},
            {0xff, 3, 0xc0, 0x21, 10, static_cast<std::uint8_t>(0xa0 + octet() % 96), 0, 8, 0x22,
             0x22, 0x22, 0x22},                   // LCP Echo-Reply.
            {0xff, 3, 0xc0, 0x21, 5, 1, 0, 4},    // LCP Terminate-Request.
            {0xff, 3, 0xc0, 0x21, 1, 1, 0, 4},    // LCP Configure-Request.
            {0xff, 3, 0x80, 0x21, 1, 1, 0, 4},    // IPCP Configure-Request.
            {0xff, 3, 0x80, 0xfd, 1, 1, 0, 4},    // CCP Configure-Request.
            {0xff, 3, 0x80, 0xfd, 5, 1, 0, 4},    // CCP Terminate-Request.
            {0xff, 3, 0x80, 0xfd, 14, 1, 0, 4}};  // CCP Reset-Request.
        for (const Bytes& each : frames) {
            forge(world, static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                  each);
        }
        forge(world, std::nullopt, static_cast<std::uint32_t>(random()), {});
        // What moved the ladder.
        forge(world, std::nullopt, world.known.gre_out + 1 + random() % 65'000, {});
    }
    // Frames that the client sends as they are.
    static Bytes frame(std::initializer_list<std::uint8_t> octets) { return octets; }
};

INSTANTIATE_TEST_SUITE_P(Clients, ResumedCallTest,
                         ::testing::Values(ModelClient::Kind::pptp_linux,
                                           ModelClient::Kind::kernel));

TEST_P(ResumedCallTest, WithFinalNumbersItGoesOnAtOnceAndWastesNone) {
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

TEST_P(ResumedCallTest, AnUnacknowledgedPacketTellsHowFarTheClientHasCome) {
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
    int resumed = 0;
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
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
    EXPECT_GE(resumed, 58);
}

TEST_P(ResumedCallTest, ThreeNodesInARowGoOnWithIt) {
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
        world.call = std::make_unique<ResumedCall>(test::call_with(Mppe::bits128),
                                                   test::keys_of(Mppe::bits128), world.counters);
        world.call->set_numbers(numbers, world.now);
        while (!world.call->catch_up(100)) {
        }
    }
    EXPECT_EQ(world.indexes_reused, 0);
    EXPECT_EQ(world.counters.resets, 0U);
}

TEST_P(ResumedCallTest, PausedItSaysNothingAndGoesOnWhereItWas) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    world.send_data();
    world.run(20ms);
    world.call->pause(world.now);
    const std::size_t sent = world.numbers_sent.size();
    const std::size_t said = world.said.size();
    EXPECT_EQ(world.call->next_deadline(), std::nullopt);
    EXPECT_EQ(world.call->numbers(world.now).mppe_out, 101U);
    world.call->on_packet(mppe::test::ip_packet(1), world);
    world.client.send_data(1, world.now);
    world.run(100s);
    EXPECT_EQ(world.numbers_sent.size(), sent);
    EXPECT_EQ(world.said.size(), said);
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
        for (const std::uint32_t lost : {100U, 2000U, 2100U, 4096U, 5000U, 100'000U}) {
            CallWorld world(GetParam(), Mppe::bits128);
            be_running(world);
            world.client.send_data(1, world.now);
            world.run(20ms);
            world.call->pause(world.now);
            if (moves) {
                const CallNumbers numbers = world.call->numbers(world.now);
                world.call = std::make_unique<ResumedCall>(
                    test::call_with(Mppe::bits128), test::keys_of(Mppe::bits128), world.counters);
                world.call->set_numbers(numbers, world.now);
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

TEST_P(ResumedCallTest, APeerWhosePacketsCannotBeOpenedDialsAgain) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    const auto garbage = [&world](int packets) {
        for (int i = 0; i < packets; ++i) {
            world.client.send(frame({0xff, 3, 0, 0xfd, 0x90, 0, 1, 2, 3}), world.now);
        }
        world.run(20ms);
    };
    garbage(199);
    world.client.send_data(1, world.now);
    garbage(199);
    EXPECT_THAT(world.delivered, ElementsAre(1));
    EXPECT_THAT(world.ended_by, IsEmpty());
    garbage(100);
    EXPECT_THAT(world.ended_by, IsEmpty()) << "some seconds may be a forger's";
    world.run(5s);
    garbage(1);
    EXPECT_THAT(world.ended_by, ElementsAre("peer's MPPE cannot be followed"));
    EXPECT_EQ(world.cause, EndCause::nas_error);
    EXPECT_THAT(world.said, ElementsAre(build_call_disconnect_notify(test::sample_call().key.id)));
    garbage(1);
    EXPECT_THAT(world.ended_by, SizeIs(1));
}

// S4. One of them made all that the client sent duplicates, for good.
TEST_P(ResumedCallTest, ForgedGreEndsNothingAndHidesNothing) {
    for (const Mppe mppe : {Mppe::none, Mppe::bits128}) {
        for (std::uint32_t seed = 1; seed <= 20; ++seed) {
            std::mt19937 random(seed);
            CallWorld world(GetParam(), mppe, seed);
            be_known(world);
            forge_some(world, random);
            world.call->resume(false, 0, world.now, world);
            for (int i = 0; i < 100 && world.how.empty(); ++i) {
                forge_some(world, random);
                world.run(1ms);
            }
            ASSERT_THAT(world.how, HasSubstr("rung 0")) << seed;
            std::vector<std::uint32_t> heard;
            for (std::uint32_t i = 1; i <= 30; ++i) {
                forge_some(world, random);
                world.client.send_data(i, world.now);
                heard.push_back(i);
                const std::uint32_t data = world.send_data();
                world.run(20ms);
                ASSERT_EQ(world.client.data.back(), data) << seed;
            }
            EXPECT_EQ(world.delivered, heard) << seed;
            EXPECT_THAT(world.ended_by, IsEmpty()) << seed;
            EXPECT_EQ(world.client.undecipherable, 0U);
        }
    }
}

TEST_P(ResumedCallTest, ANumberThatWasGuessedHidesNothingOfMppe) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    world.client.send_data(1, world.now);
    world.run(20ms);
    for (std::uint32_t i = 2; i < 300; ++i) {
        // Ahead of it, in clear and garbage.
        forge(world, i + 1, std::nullopt, frame({0xff, 3, 0xc0, 0x21, 9, 1, 0, 4}));
        forge(world, i + 2000, std::nullopt, frame({0xff, 3, 0xc0, 0x21, 9, 1, 0, 4}));
        forge(world, i, std::nullopt, frame({0xff, 3, 0, 0xfd, 0x90, 1, 1, 2, 3}));
        world.client.send_data(i, world.now);
        world.run(20ms);
        ASSERT_EQ(world.delivered.back(), i);
    }
    EXPECT_THAT(world.ended_by, IsEmpty());
}

TEST_P(ResumedCallTest, ACallWithoutMppeFindsItsClientAgainAfterALongGap) {
    CallWorld world(GetParam(), Mppe::none);
    be_running(world);
    for (const std::uint32_t gap : {100U, 2100U, 1'000'000U}) {
        world.delivered.clear();
        world.client.send_data(1, world.now);
        world.run(20ms);
        for (std::uint32_t i = 0; i < gap; ++i) {
            world.client.send_data(2, world.now);
            world.client.sent.clear();
        }
        for (std::uint32_t i = 3; i < 6; ++i) {
            world.client.send_data(i, world.now);
        }
        world.run(20ms);
        if (gap > 2048) {
            EXPECT_THAT(world.delivered, ElementsAre(1, 4, 5));
        } else {
            EXPECT_THAT(world.delivered, ElementsAre(1, 3, 4, 5));
        }
    }
}

TEST_P(ResumedCallTest, AForgedAcknowledgementIsNoneOfAClientThatNeverAcknowledges) {
    CallWorld world(ModelClient::Kind::android, Mppe::bits128);
    world.known.never_acknowledges = true;
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    std::mt19937 random(1);
    forge(world, std::nullopt, static_cast<std::uint32_t>(random()), {});
    forge(world, static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
          frame({0xff, 3, 0xc0, 0x21, 9, 1, 0, 4}));
    ASSERT_TRUE(world.run_until_resumed(1s));
    EXPECT_TRUE(world.call->numbers(world.now).never_acknowledges);
}

TEST_P(ResumedCallTest, ItsOwnEndIsToldToThePeer) {
    const Bytes disconnect = build_call_disconnect_notify(test::sample_call().key.id);
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->close("ended by the operator", EndCause::admin_reset, world);
        EXPECT_THAT(world.ended_by, ElementsAre("ended by the operator"));
        EXPECT_THAT(world.said, ElementsAre(disconnect));
        world.run(20ms);
        EXPECT_THAT(world.client.codes, ElementsAre(5));  // LCP Terminate-Request.
        world.call->close("again", EndCause::admin_reset, world);
        EXPECT_THAT(world.ended_by, SizeIs(1));
        EXPECT_EQ(world.cause, EndCause::admin_reset);
    }
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_known(world);
        world.call->resume(false, 0, world.now, world);
        world.call->close("its time is over", EndCause::session_timeout, world);
        EXPECT_THAT(world.ended_by, IsEmpty()) << "it may not speak yet";
        world.run(2s);
        EXPECT_THAT(world.ended_by, ElementsAre("its time is over"));
        EXPECT_EQ(world.cause, EndCause::session_timeout);
        EXPECT_THAT(world.said, ::testing::Contains(disconnect));
    }
}

TEST_P(ResumedCallTest, TheEndsOfThePeerAreAnswered) {
    const Bytes disconnect = build_call_disconnect_notify(test::sample_call().key.id);
    const auto message = [](std::uint8_t type) {
        return Bytes{0, 16, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, type, 0, 0, 0, 7, 0, 0};
    };
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->on_control(message(12), world);
        EXPECT_THAT(world.ended_by, ElementsAre("peer sent Call-Clear-Request"));
        EXPECT_THAT(world.said, ElementsAre(disconnect));
        world.run(20ms);
        EXPECT_THAT(world.client.codes, ElementsAre(5));  // LCP Terminate-Request.
        world.call->on_control(message(12), world);
        EXPECT_THAT(world.ended_by, SizeIs(1));
        EXPECT_EQ(world.call->next_deadline(), std::nullopt);
    }
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->on_control(message(3), world);
        EXPECT_THAT(world.said, ElementsAre(build_stop_reply(), disconnect));
        EXPECT_THAT(world.ended_by, SizeIs(1));
    }
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->on_control_closed("peer closed the control connection", world);
        EXPECT_THAT(world.said, IsEmpty());
        EXPECT_THAT(world.ended_by, ElementsAre("peer closed the control connection"));
    }
    const std::vector<std::pair<Bytes, std::vector<std::uint8_t>>> frames{
        {frame({0xff, 3, 0xc0, 0x21, 5, 1, 0, 4}), {6}},  // LCP Terminate-Request.
        {frame({0xc0, 0x21, 1, 1, 0, 4}), {5}},           // LCP Configure-Request.
        {frame({0xff, 3, 0x80, 0x21, 1, 1, 0, 4}), {5}},  // IPCP Configure-Request.
        {frame({0xff, 3, 0x80, 0xfd, 1, 1, 0, 4}), {5}},  // CCP Configure-Request.
        {frame({0xff, 3, 0x80, 0xfd, 5, 1, 0, 4}), {5}},  // CCP Terminate-Request.
    };
    for (const auto& [octets, codes] : frames) {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.client.send(octets, world.now);
        world.run(20ms);
        EXPECT_EQ(world.client.codes, codes) << to_hex(octets);
        EXPECT_THAT(world.said, ElementsAre(disconnect));
        EXPECT_THAT(world.ended_by, SizeIs(1));
    }
}

TEST_P(ResumedCallTest, ControlMessagesOfALiveCallAreAnswered) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    const Bytes request = build_echo_request(0x01020304);
    world.call->on_control(ByteView(request).first(7), world);
    EXPECT_THAT(world.said, IsEmpty());
    world.call->on_control(ByteView(request).subspan(7), world);
    EXPECT_THAT(world.said, ElementsAre(build_echo_reply(0x01020304)));
    EXPECT_EQ(world.call->numbers(world.now).echo_id, 0x01020304U);
    EXPECT_EQ(world.call->numbers(world.now).rcv_nxt, world.known.rcv_nxt + 16);
    EXPECT_EQ(world.call->numbers(world.now).snd_nxt, world.known.snd_nxt + 20);
    // Another call; Set-Link-Info; a message nobody knows.
    Bytes call(168);
    const Bytes head{0, 168, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 7, 0, 0, 0xab, 0xcd};
    std::ranges::copy(head, call.begin());
    world.call->on_control(call, world);
    EXPECT_EQ(world.said.back(), build_call_refusal(CallId{0xabcd}));
    Bytes link(24);
    std::ranges::copy(Bytes{0, 24, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 15}, link.begin());
    world.call->on_control(link, world);
    link[9] = 99;
    world.call->on_control(link, world);
    EXPECT_EQ(world.counters.unexpected, 1U);
    EXPECT_THAT(world.said, SizeIs(2));
    EXPECT_THAT(world.ended_by, IsEmpty());
    // The stream is lost.
    world.call->on_control(Bytes(16, 0xff), world);
    EXPECT_THAT(world.ended_by, SizeIs(1));
}

TEST_P(ResumedCallTest, BothSidesAreAskedWhetherTheyLive) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    for (int i = 0; i < 5; ++i) {
        world.run(25s);
        ASSERT_THAT(world.said, SizeIs(static_cast<std::size_t>(i + 1)));
        const auto id = static_cast<std::uint8_t>(i + 1);
        EXPECT_EQ(world.said.back(), build_echo_request(id));
        world.call->on_control(build_echo_reply(id), world);
    }
    EXPECT_THAT(world.ended_by, IsEmpty());
    world.run(100s);
    EXPECT_THAT(world.ended_by, ElementsAre("peer left PPTP echoes unanswered"));
    // LCP, as pppd was configured: 20 s, three of them.
    CallWorld deaf(GetParam(), Mppe::bits128);
    be_running(deaf);
    deaf.client.is_deaf = true;
    deaf.run(79s);
    EXPECT_THAT(deaf.ended_by, IsEmpty());
    deaf.run(2s);
    EXPECT_THAT(deaf.ended_by, ElementsAre("peer left LCP echoes unanswered"));
}

TEST_P(ResumedCallTest, APeerThatDidNotTakeOurIndexIsGivenAHigherOne) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    const auto reset = [&] {
        world.client.send(frame({0xff, 3, 0x80, 0xfd, 14, 9, 0, 4}), world.now);
        world.run(100ms);
    };
    world.send_data();
    reset();
    reset();
    EXPECT_EQ(world.counters.resets, 2U);
    EXPECT_EQ(world.call->numbers(world.now).mppe_out, 101U + 1024);
    const std::uint32_t data = world.send_data();
    world.run(400ms);
    EXPECT_EQ(world.client.data.back(), data);
}

TEST_P(ResumedCallTest, WhatAResetSkippedIsUsedByNoSuccessorWithOlderNumbers) {
    for (const int packets : {1, 200, 400}) {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        const CallNumbers older = world.call->numbers(world.now);
        const TimePoint at = world.now;
        world.send_data();
        world.client.send(frame({0xff, 3, 0x80, 0xfd, 14, 9, 0, 4}), world.now);
        world.run(100ms);
        for (int i = 0; i < packets; ++i) {
            world.send_data();
            world.run(2ms);
        }
        world.run(1s);
        world.call = std::make_unique<ResumedCall>(test::call_with(Mppe::bits128),
                                                   test::keys_of(Mppe::bits128), world.counters);
        world.call->set_numbers(older, at);
        world.how.clear();
        world.call->resume(false, 0, world.now, world);
        ASSERT_TRUE(world.run_until_resumed(5s)) << packets;
        const std::vector<std::uint32_t> sent = world.send_twenty();
        EXPECT_EQ(world.client.data, sent) << packets << " " << world.how;
        for (int i = 0; i < 1000; ++i) {
            world.send_data();
        }
        EXPECT_EQ(world.indexes_reused, 0) << packets << " " << world.how;
    }
}

// S5. Five of them in ten seconds ended the call.
TEST_P(ResumedCallTest, ForgedResetsEndNothingAndMoveNoIndexBeyondThePeer) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.call->resume(false, 0, world.now, world);
    ASSERT_TRUE(world.run_until_resumed(1s));
    for (int second = 0; second < 30; ++second) {
        for (int i = 0; i < 10; ++i) {
            world.client.send(frame({0xff, 3, 0x80, 0xfd, 14, 9, 0, 4}), world.now);
            world.run(100ms);
        }
        // Nothing is sent in the first ten seconds.
        const std::uint32_t data = second < 10 ? 0 : world.send_data();
        world.run(400ms);
        ASSERT_EQ(world.client.data.back(), data) << second;
    }
    EXPECT_THAT(world.ended_by, IsEmpty());
    EXPECT_EQ(world.client.undecipherable, 0U);
    EXPECT_LE(world.call->numbers(world.now).mppe_out, 100U + 1024 + 20 * 1025);
}

// S5. All of them were made before the next packet went out.
TEST_P(ResumedCallTest, KeysOfAJumpAreMadeInSlices) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_known(world);
    world.stock_sends(4000);
    world.forget_sent();
    world.call->resume(false, 0, world.now, world);
    ASSERT_TRUE(world.run_until_resumed(2s));
    EXPECT_TRUE(world.call->wants_keys());
    EXPECT_FALSE(world.call->takes_packets());
    const std::size_t sent = world.numbers_sent.size();
    world.call->on_packet(mppe::test::ip_packet(9), world);
    EXPECT_EQ(world.numbers_sent.size(), sent);
    int slices = 0;
    while (!world.call->catch_up(500)) {
        ++slices;
    }
    EXPECT_GE(slices, 7);
    EXPECT_TRUE(world.call->takes_packets());
    EXPECT_FALSE(world.call->wants_keys());
    const std::uint32_t data = world.send_data();
    world.run(20ms);
    EXPECT_EQ(world.client.data.back(), data);
}

TEST_P(ResumedCallTest, WhatMustBeEncryptedIsNotTakenInClear) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    Bytes clear{0xff, 3, 0, 0x21};
    const Bytes packet = mppe::test::ip_packet(1);
    clear.insert(clear.end(), packet.begin(), packet.end());
    world.client.send(clear, world.now);
    world.run(20ms);
    EXPECT_THAT(world.delivered, IsEmpty());
    EXPECT_EQ(world.counters.in_clear, 1U);
    world.call->on_gre(Bytes{1, 2, 3}, world.now, world);
    EXPECT_EQ(world.counters.malformed, 1U);
}

TEST_P(ResumedCallTest, DataIsAcknowledgedWithinMilliseconds) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    world.client.send_data(1, world.now);
    world.run(6ms);
    ASSERT_TRUE(world.call->next_deadline());
    EXPECT_LE(*world.call->next_deadline() - world.now, 20ms);
    world.run(30ms);
    EXPECT_EQ(world.numbers_sent.size(), 0U);
    EXPECT_EQ(world.call->numbers(world.now).gre_in, 1U);
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
    EXPECT_THAT(world.said, ElementsAre(build_echo_reply(9)));
}

TEST_P(ResumedCallTest, AnEchoThatWasOpenIsAnsweredInAnyCase) {
    for (const bool exact : {false, true}) {
        CallWorld world(GetParam(), Mppe::bits128);
        world.known.echo_open = true;
        be_known(world);
        world.call->resume(exact, 0, world.now, world);
        world.run(50ms);
        EXPECT_THAT(world.said, ElementsAre(build_echo_reply(7)));
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
        EXPECT_THAT(world.said, ElementsAre(build_call_disconnect_notify(world.id())));
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
        EXPECT_THAT(world.said,
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
    EXPECT_THAT(world.said, IsEmpty());
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
