// SPDX-License-Identifier: GPL-2.0-or-later
// What a resumed call that runs does with what its client, or a stranger, sends.
#include <gmock/gmock.h>

#include "support/random.hpp"
#include "unit/protocols/pptp/model/resumed_call_fixture.hpp"

namespace vpnha::pptp {
namespace running_call_test {

using namespace std::chrono_literals;
using test::CallWorld;
using test::ModelClient;
using test::ResumedCallTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
    EXPECT_THAT(world.emitted,
                ElementsAre(build_call_disconnect_notify(test::sample_call().key.id)));
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
            std::vector<std::uint32_t> received;
            for (std::uint32_t i = 1; i <= 30; ++i) {
                forge_some(world, random);
                world.client.send_data(i, world.now);
                received.push_back(i);
                const std::uint32_t data = world.send_data();
                world.run(20ms);
                ASSERT_EQ(world.client.data.back(), data) << seed;
            }
            EXPECT_EQ(world.delivered, received) << seed;
            EXPECT_THAT(world.ended_by, IsEmpty()) << seed;
            EXPECT_EQ(world.client.undecipherable, 0U);
        }
    }
}

TEST_P(ResumedCallTest, WithIpv6cpBothFamiliesPassBothWays) {
    for (const Mppe mppe : {Mppe::none, Mppe::bits128}) {
        CallWorld world(GetParam(), mppe, 1, true);
        be_running(world);
        for (std::uint32_t i = 1; i <= 20; ++i) {
            world.client.send_packet(mppe::test::ip6_packet(i), world.now);
            world.client.send_data(100 + i, world.now);
            world.run(20ms);
            ASSERT_THAT(world.delivered, ElementsAre(i, 100 + i));
            world.delivered.clear();
        }
        world.client.data.clear();
        ASSERT_TRUE(world.call->catch_up(500));
        world.call->on_packet(mppe::test::ip6_packet(7), world);
        world.call->on_packet(mppe::test::ip_packet(8), world);
        world.call->on_packet(Bytes{0x50, 0, 0}, world);
        world.run(1s);
        EXPECT_THAT(world.client.data, ElementsAre(7, 8));
        EXPECT_EQ(world.client.undecipherable, 0U);
        // IPv6CP of an open link says nothing new, and ends nothing but IPv6.
        world.client.send(frame({0xff, 3, 0x80, 0x57, 5, 9, 0, 4}), world.now);
        world.run(20ms);
        EXPECT_THAT(world.ended_by, IsEmpty());
    }
}

TEST_P(ResumedCallTest, WithoutIpv6cpNoPacketOfIpv6Passes) {
    for (const Mppe mppe : {Mppe::none, Mppe::bits128}) {
        CallWorld world(GetParam(), mppe);
        be_running(world);
        world.client.send_packet(mppe::test::ip6_packet(1), world.now);
        world.client.send_data(2, world.now);
        world.client.data.clear();
        ASSERT_TRUE(world.call->catch_up(500));
        world.call->on_packet(mppe::test::ip6_packet(3), world);
        world.run(1s);
        EXPECT_THAT(world.delivered, ElementsAre(2));
        EXPECT_THAT(world.client.data, IsEmpty());
    }
}

TEST_P(ResumedCallTest, AfterATakeoverIpv6AloneIsFollowed) {
    CallWorld world(GetParam(), Mppe::bits128, 1, true);
    be_known(world);
    // What the dead node took, and nobody knows of.
    for (std::uint32_t i = 0; i < 3'000; ++i) {
        world.client.send_packet(mppe::test::ip6_packet(i), world.now);
    }
    world.forget_sent();
    world.call->resume(false, 0, world.now, world);
    ASSERT_TRUE(world.run_until_resumed(5s));
    world.client.send_packet(mppe::test::ip6_packet(77), world.now);
    world.run(100ms);
    EXPECT_THAT(world.delivered, ElementsAre(77));
}

// In the clear it is no packet of a call with MPPE.
TEST_P(ResumedCallTest, Ipv6InTheClearIsDroppedWhereMppeWasAgreedOn) {
    CallWorld world(GetParam(), Mppe::bits128, 1, true);
    be_running(world);
    Bytes clear{0xff, 3};
    const Bytes packet = mppe::test::with_protocol(mppe::test::ip6_packet(1));
    clear.insert(clear.end(), packet.begin(), packet.end());
    world.client.send(clear, world.now);
    world.run(20ms);
    EXPECT_THAT(world.delivered, IsEmpty());
    EXPECT_EQ(world.counters.in_clear, 1U);
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
    for (const std::uint32_t gap : {100U, 2100U, vpnha::test::drawn(1'000'000)}) {
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

TEST_P(ResumedCallTest, ItsOwnEndIsReportedToThePeer) {
    const Bytes disconnect = build_call_disconnect_notify(test::sample_call().key.id);
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->close("ended by the operator", EndCause::admin_reset, world);
        EXPECT_THAT(world.ended_by, ElementsAre("ended by the operator"));
        EXPECT_THAT(world.emitted, ElementsAre(disconnect));
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
        EXPECT_THAT(world.emitted, ::testing::Contains(disconnect));
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
        EXPECT_THAT(world.emitted, ElementsAre(disconnect));
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
        EXPECT_THAT(world.emitted, ElementsAre(build_stop_reply(), disconnect));
        EXPECT_THAT(world.ended_by, SizeIs(1));
    }
    {
        CallWorld world(GetParam(), Mppe::bits128);
        be_running(world);
        world.call->on_control_closed("peer closed the control connection", world);
        EXPECT_THAT(world.emitted, IsEmpty());
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
        EXPECT_THAT(world.emitted, ElementsAre(disconnect));
        EXPECT_THAT(world.ended_by, SizeIs(1));
    }
}

TEST_P(ResumedCallTest, ControlMessagesOfALiveCallAreAnswered) {
    CallWorld world(GetParam(), Mppe::bits128);
    be_running(world);
    const Bytes request = build_echo_request(0x01020304);
    world.call->on_control(ByteView(request).first(7), world);
    EXPECT_THAT(world.emitted, IsEmpty());
    world.call->on_control(ByteView(request).subspan(7), world);
    EXPECT_THAT(world.emitted, ElementsAre(build_echo_reply(0x01020304)));
    EXPECT_EQ(world.call->numbers(world.now).echo_id, 0x01020304U);
    EXPECT_EQ(world.call->numbers(world.now).rcv_nxt, world.known.rcv_nxt + 16);
    EXPECT_EQ(world.call->numbers(world.now).snd_nxt, world.known.snd_nxt + 20);
    // Another call; Set-Link-Info; a message nobody knows.
    Bytes call(168);
    const Bytes head{0, 168, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 7, 0, 0, 0xab, 0xcd};
    std::ranges::copy(head, call.begin());
    world.call->on_control(call, world);
    EXPECT_EQ(world.emitted.back(), build_call_refusal(CallId{0xabcd}));
    Bytes link(24);
    std::ranges::copy(Bytes{0, 24, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 15}, link.begin());
    world.call->on_control(link, world);
    link[9] = 99;
    world.call->on_control(link, world);
    EXPECT_EQ(world.counters.unexpected, 1U);
    EXPECT_THAT(world.emitted, SizeIs(2));
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
        ASSERT_THAT(world.emitted, SizeIs(static_cast<std::size_t>(i + 1)));
        const auto id = static_cast<std::uint8_t>(i + 1);
        EXPECT_EQ(world.emitted.back(), build_echo_request(id));
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
        world.move_on(older, at);
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

}  // namespace running_call_test
}  // namespace vpnha::pptp
