// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace vpnha::adapters {
namespace call_observer_test {

using namespace std::chrono_literals;
using News = CallObserver::News;
using Segment = ObservedSegment;

constexpr std::uint32_t kVip = 0xc0000264;
constexpr std::uint32_t kClient = 0xc0000233;
constexpr std::uint16_t kClientPort = 40'123;

Bytes ipv4(std::uint8_t protocol, std::uint32_t from, std::uint32_t to, const Bytes& body,
           std::uint16_t fragment = 0) {
    ByteWriter writer;
    writer.u8(0x45).u8(0).u16(static_cast<std::uint16_t>(20 + body.size())).u16(1).u16(fragment);
    writer.u8(64).u8(protocol).u16(0).u32(from).u32(to).bytes(body);
    return std::move(writer).take();
}

struct Tcp {
    bool out = false;
    std::uint8_t flags = Segment::kAck;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    Bytes options{};
    Bytes payload{};
    std::uint16_t window = 512;
    std::uint16_t port = kClientPort;
    std::uint32_t client = kClient;
};

Bytes tcp(const Tcp& wanted) {
    ByteWriter writer;
    writer.u16(wanted.out ? CallObserver::kPptpPort : wanted.port);
    writer.u16(wanted.out ? wanted.port : CallObserver::kPptpPort);
    writer.u32(wanted.seq).u32(wanted.ack);
    writer.u8(static_cast<std::uint8_t>((5 + wanted.options.size() / 4) << 4)).u8(wanted.flags);
    writer.u16(wanted.window).u16(0).u16(0).bytes(wanted.options).bytes(wanted.payload);
    const std::uint32_t from = wanted.out ? kVip : wanted.client;
    return ipv4(6, from, wanted.out ? wanted.client : kVip, std::move(writer).take());
}

// MSS, window scale, SACK permitted, time stamps.
Bytes syn_options(std::uint16_t mss, std::uint8_t scale, std::uint32_t tsval) {
    ByteWriter writer;
    writer.u8(2).u8(4).u16(mss).u8(4).u8(2).u8(8).u8(10).u32(tsval).u32(0);
    writer.u8(1).u8(3).u8(3).u8(scale);
    return std::move(writer).take();
}

Bytes timestamps(std::uint32_t tsval) {
    ByteWriter writer;
    writer.u8(1).u8(1).u8(8).u8(10).u32(tsval).u32(0);
    return std::move(writer).take();
}

Bytes message(std::uint16_t type, std::uint32_t id) {
    ByteWriter writer;
    writer.u16(16).u16(1).u32(0x1a2b3c4d).u16(type).u16(0).u32(id);
    return std::move(writer).take();
}

// A call's packet: `call` is the receiver's id.
Bytes gre(bool out, std::uint16_t call, std::uint32_t sequence, std::optional<std::uint16_t> count,
          bool compact = false, std::optional<std::uint32_t> acknowledged = 7) {
    ByteWriter frame;
    if (compact) {
        frame.u8(0xfd);
    } else {
        frame.u16(0xff03).u16(count ? 0x00fd : 0xc021);
    }
    frame.u16(static_cast<std::uint16_t>(0x9000 | count.value_or(0))).u32(0);
    ByteWriter writer;
    writer.u16(acknowledged ? 0x3081 : 0x3001).u16(0x880b);
    writer.u16(static_cast<std::uint16_t>(frame.size())).u16(call).u32(sequence);
    if (acknowledged) {
        writer.u32(*acknowledged);
    }
    writer.bytes(frame.view());
    return ipv4(47, out ? kVip : kClient, out ? kClient : kVip, std::move(writer).take());
}

Bytes gre_acknowledgement(bool out, std::uint16_t call, std::uint32_t number) {
    ByteWriter writer;
    writer.u16(0x2081).u16(0x880b).u16(0).u16(call).u32(number);
    return ipv4(47, out ? kVip : kClient, out ? kClient : kVip, std::move(writer).take());
}

class CallObserverTest : public testing::Test {
  protected:
    CallObserver::Noted see(const Bytes& packet) {
        return see_by(packet,
                      ByteReader(ByteView(packet).subspan(12)).u32() == kVip ? Way::out : Way::in);
    }
    CallObserver::Noted see_by(const Bytes& packet, Way way) {
        const auto parsed = parse_observed(packet);
        EXPECT_TRUE(parsed.has_value());
        return parsed ? observer_.on_packet(*parsed, way, now_) : CallObserver::Noted{};
    }

    void shake_hands() {
        EXPECT_EQ(
            see(tcp({.flags = Segment::kSyn, .seq = 1000, .options = syn_options(1460, 7, 50)}))
                .news,
            News::none);
        see(tcp({.out = true,
                 .flags = Segment::kSyn | Segment::kAck,
                 .seq = 5000,
                 .ack = 1001,
                 .options = syn_options(1400, 9, 900)}));
        EXPECT_EQ(see(tcp({.seq = 1001, .ack = 5001, .options = timestamps(51)})).news,
                  News::begins);
    }
    // Of one of so many clients.
    void see_syn(std::uint32_t number) {
        see(tcp({.flags = Segment::kSyn,
                 .seq = 1000,
                 .port = static_cast<std::uint16_t>(1024 + number % 60'000),
                 .client = kClient + 1 + number / 60'000}));
    }
    void connect_and_vanish(std::uint16_t port) {
        see(tcp({.flags = Segment::kSyn, .seq = 1000, .port = port, .client = kClient + 1}));
        see(tcp({.out = true,
                 .flags = Segment::kSyn | Segment::kAck,
                 .seq = 5000,
                 .ack = 1001,
                 .port = port,
                 .client = kClient + 1}));
        see(tcp({.seq = 1001, .ack = 5001, .port = port, .client = kClient + 1}));
    }

    pptp::CallNumbers numbers() {
        const auto all = observer_.all(now_);
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? pptp::CallNumbers{} : all[0].numbers;
    }

    const pptp::CallKey key_{.local = {Ipv4Address{kVip}, CallObserver::kPptpPort},
                             .peer = {Ipv4Address{kClient}, kClientPort},
                             .id = pptp::CallId{136},
                             .peer_id = pptp::CallId{7}};
    CallObserver observer_{Ipv4Address{kVip}};
    TimePoint now_{};
};

TEST_F(CallObserverTest, LearnsWhatTheHandshakeAgreedOn) {
    shake_hands();
    const auto options = observer_.options_of(key_.peer);
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->mss, 1400);
    EXPECT_TRUE(options->window_scaling);
    EXPECT_EQ(options->our_scale, 9);
    EXPECT_EQ(options->peer_scale, 7);
    EXPECT_TRUE(options->sack);
    EXPECT_TRUE(options->timestamps);
    EXPECT_FALSE(observer_.options_of({key_.peer.address, 1}).has_value());
}

TEST_F(CallObserverTest, WhatOneSideDidNotOfferIsNotUsed) {
    see(tcp({.flags = Segment::kSyn, .seq = 1000}));
    see(tcp({.out = true,
             .flags = Segment::kSyn | Segment::kAck,
             .seq = 5000,
             .ack = 1001,
             .options = syn_options(1400, 9, 900)}));
    const auto options = observer_.options_of(key_.peer);
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(*options, pptp::TcpOptions{});
}

// RFC 7323 2.3. It was shifted by as it came.
TEST_F(CallObserverTest, AWindowScaleThatIsTooLargeCountsAsTheLargest) {
    see(tcp({.flags = Segment::kSyn, .seq = 1000, .options = syn_options(1460, 83, 50)}));
    see(tcp({.out = true,
             .flags = Segment::kSyn | Segment::kAck,
             .seq = 5000,
             .ack = 1001,
             .options = syn_options(1400, 9, 900)}));
    see(tcp({.seq = 1001, .ack = 5001}));
    observer_.follow(key_);
    EXPECT_EQ(observer_.options_of(key_.peer)->peer_scale, 14);
    EXPECT_EQ(numbers().snd_wnd, 512U << 14);
}

TEST_F(CallObserverTest, TcpNumbersAreThoseOfWhatHasLeft) {
    shake_hands();
    observer_.follow(key_);
    see(tcp({.out = true,
             .seq = 5001,
             .ack = 1001,
             .options = timestamps(1000),
             .payload = Bytes(156)}));
    see(tcp({.seq = 1001, .ack = 5157, .options = timestamps(60), .payload = Bytes(168)}));
    EXPECT_EQ(numbers().snd_nxt, 5157U);
    EXPECT_EQ(numbers().rcv_nxt, 1001U) << "nobody has acknowledged it yet";
    see(tcp({.out = true, .seq = 5157, .ack = 1169, .options = timestamps(1001)}));
    see(tcp({.out = true,
             .seq = 5001,
             .ack = 1169,
             .options = timestamps(1002),
             .payload = Bytes(156)}));
    now_ += 40ms;
    EXPECT_EQ(numbers().snd_nxt, 5157U) << "sent again";
    EXPECT_EQ(numbers().rcv_nxt, 1169U);
    EXPECT_EQ(numbers().tsval, 1042U);
    EXPECT_EQ(numbers().peer_tsval, 60U);
    EXPECT_EQ(numbers().snd_wnd, 512U << 7);
}

TEST_F(CallObserverTest, NumbersWrap) {
    see(tcp({.flags = Segment::kSyn, .seq = 0xffffffff}));
    see(tcp({.out = true, .flags = Segment::kSyn | Segment::kAck, .seq = 0xfffffff0, .ack = 0}));
    observer_.follow(key_);
    see(tcp({.out = true, .seq = 0xfffffff1, .ack = 0, .payload = Bytes(156)}));
    EXPECT_EQ(numbers().snd_nxt, 0xfffffff1U + 156U);
    see(gre(true, 7, 0xffffffff, std::nullopt));
    see(gre(true, 7, 0, std::nullopt));
    EXPECT_EQ(numbers().gre_out, 0U);
}

TEST_F(CallObserverTest, GreBelongsToTheCallOfItsReceiver) {
    observer_.follow(key_);
    see(gre(true, 7, 10, 0));
    see(gre(false, 136, 20, 0));
    see(gre(true, 8, 99, 5));
    see(gre(false, 137, 99, 5));
    EXPECT_EQ(numbers().gre_out, 10U);
    EXPECT_EQ(numbers().gre_in, 20U);
    EXPECT_EQ(numbers().mppe_out, 1U) << "the index of the next one";
    EXPECT_EQ(numbers().mppe_in, 1U);
}

TEST_F(CallObserverTest, CoherencyCountsAreUnwrappedForward) {
    observer_.follow(key_);
    for (std::uint32_t i = 0; i < 9000; i += 700) {
        see(gre(true, 7, i, static_cast<std::uint16_t>(i % 4096), i % 1400 == 0));
    }
    EXPECT_EQ(numbers().mppe_out, 8401U);
    see(gre(true, 7, 8399, 8399 % 4096));
    EXPECT_EQ(numbers().mppe_out, 8401U) << "an old one, out of order";
    EXPECT_EQ(numbers().gre_out, 8400U);
}

TEST_F(CallObserverTest, APeerThatNeverAcknowledgesIsNotedUntilItDoes) {
    observer_.follow(key_);
    see(gre(true, 7, 0, 0));
    for (std::uint32_t i = 0; i < 16; ++i) {
        EXPECT_FALSE(numbers().never_acknowledges) << i;
        see(gre(false, 136, i, static_cast<std::uint16_t>(i), false, std::nullopt));
        see(gre(false, 136, i, static_cast<std::uint16_t>(i), false, 0x8000'0000));
    }
    EXPECT_TRUE(numbers().never_acknowledges);
    see(gre(false, 136, 32, 32));
    EXPECT_FALSE(numbers().never_acknowledges);
}

// F1: without the GRE number a gap of half a circle gave an index that had been used.
TEST_F(CallObserverTest, AfterAnyGapTheIndexIsRightAgain) {
    std::minstd_rand random(1);
    for (const bool out : {true, false}) {
        std::uint32_t gre_number = 0xffff'0000;
        std::uint64_t index = 0;
        observer_.follow(key_);
        const auto see_next = [&] {
            if (!out) {
                see(gre_acknowledgement(true, 7, gre_number - 1));
            }
            see(gre(out, out ? 7 : 136, gre_number++, static_cast<std::uint16_t>(index++ % 4096)));
        };
        see_next();
        for (const std::uint32_t gap : {1U, 2'047U, 2'048U, 4'095U, 4'096U, 5'000U, 100'000U}) {
            gre_number += gap;
            index += gap;
            see_next();
            ASSERT_EQ(out ? numbers().mppe_out : numbers().mppe_in, index) << gap;
        }
        for (int i = 0; i < 1000; ++i) {
            // Some of those that were missed had no MPPE.
            const auto gap = static_cast<std::uint32_t>(random() % 100'000);
            gre_number += gap;
            index += gap - std::min(gap, static_cast<std::uint32_t>(random() % 4'096));
            see_next();
            ASSERT_EQ(out ? numbers().mppe_out : numbers().mppe_in, index) << gap;
        }
        observer_.forget(key_, now_);
    }
}

TEST_F(CallObserverTest, EchoesOfAnIdleCallAreNoGap) {
    observer_.follow(key_);
    see(gre(true, 7, 0, 0));
    std::uint32_t gre_number = 1;
    for (; gre_number < 10'000; ++gre_number) {
        see(gre(true, 7, gre_number, std::nullopt));
        see(gre(true, 7, gre_number, std::nullopt));  // Twice; it has one number.
    }
    see(gre(true, 7, gre_number, 1));
    EXPECT_EQ(numbers().mppe_out, 2U);
}

// S4. The tap sees it before anybody looks at its source.
TEST_F(CallObserverTest, AForgedNumberMovesNothing) {
    observer_.follow(key_);
    see(gre(false, 136, 0x7000'0000, 5));
    EXPECT_EQ(numbers().gre_in, 0U) << "the first one";
    see(gre(false, 136, 0, 0));
    static_cast<void>(observer_.take_changed(now_));
    std::minstd_rand random(1);
    for (int i = 0; i < 1000; ++i) {
        see(gre(false, 136, 3'000 + static_cast<std::uint32_t>(random()) * 2, 5));
    }
    EXPECT_TRUE(observer_.take_changed(now_).empty());
    see(gre(false, 136, 3, 100));
    EXPECT_EQ(numbers().mppe_in, 1U) << "more indices than numbers";
    see(gre(false, 136, 4, 1));
    EXPECT_EQ(numbers().gre_in, 4U);
    EXPECT_EQ(numbers().mppe_in, 2U);
}

TEST_F(CallObserverTest, WhatPptpdAcknowledgesItHasTaken) {
    observer_.follow(key_);
    see(gre(false, 136, 1, 0));
    // 5 000 of the client were lost before the node.
    see(gre(false, 136, 5002, 5001 % 4096));
    EXPECT_EQ(numbers().gre_in, 1U);
    see(gre_acknowledgement(false, 136, 5002));
    EXPECT_EQ(numbers().gre_in, 1U) << "the client's is none of ours";
    see(gre_acknowledgement(true, 7, 5002));
    EXPECT_EQ(numbers().gre_in, 5002U);
    see(gre(false, 136, 5003, 5002 % 4096));
    EXPECT_EQ(numbers().gre_in, 5003U);
    EXPECT_EQ(numbers().mppe_in, 5003U);
    see(gre_acknowledgement(true, 7, 4000));
    EXPECT_EQ(numbers().gre_in, 5003U);
}

// The gate has sent them on to the node that takes over, which has to know them as new.
TEST_F(CallObserverTest, WhatIsSentOnIsLeftToTheOtherNode) {
    observer_.follow(key_);
    see(gre(false, 136, 20, 100));
    see(gre_acknowledgement(true, 7, 20));
    see(gre(false, 136, 21, 101));
    // Two have come before the first of them goes.
    see(gre(false, 136, 22, 102));
    see(gre(false, 136, 23, 103));
    see_by(gre(false, 136, 22, 102), Way::out);
    see_by(gre(false, 136, 23, 103), Way::out);
    EXPECT_EQ(numbers().gre_in, 21U);
    EXPECT_EQ(numbers().mppe_in, 102U);
    see(gre(false, 136, 24, std::nullopt));
    see_by(gre(false, 136, 24, std::nullopt), Way::out);
    EXPECT_EQ(numbers().gre_in, 21U) << "nor does one that comes later count";
    // pptpd has this one; whoever sends it again finds it known.
    see(gre(false, 136, 19, 99));
    see_by(gre(false, 136, 19, 99), Way::out);
    EXPECT_EQ(numbers().gre_in, 21U);
    EXPECT_EQ(numbers().mppe_in, 102U);
    // The gateway stays after all.
    see(gre(false, 136, 25, 104));
    see(gre_acknowledgement(true, 7, 25));
    EXPECT_EQ(numbers().gre_in, 25U);
    EXPECT_EQ(numbers().mppe_in, 105U);
}

TEST_F(CallObserverTest, AFirstNumberThatWasForgedIsCorrected) {
    observer_.follow(key_);
    see(gre(false, 136, 60'000, std::nullopt));
    EXPECT_EQ(numbers().gre_in, 60'000U);
    see(gre(false, 136, 20, 0));
    see(gre_acknowledgement(true, 7, 20));
    see(gre(false, 136, 21, 1));
    EXPECT_EQ(numbers().gre_in, 21U);
    EXPECT_EQ(numbers().mppe_in, 2U);
}

// S4. Whoever sends a packet chooses its addresses.
TEST_F(CallObserverTest, AnAddressOfOursMakesNoPacketOfOurs) {
    shake_hands();
    observer_.follow(key_);
    see(gre(true, 7, 10, 0));
    static_cast<void>(observer_.take_changed(now_));
    see_by(gre(true, 7, 5000, 100), Way::in);
    see_by(gre(false, 136, 10, 1), Way::out);
    see_by(gre_acknowledgement(true, 7, 5000), Way::in);
    see_by(tcp({.out = true, .flags = Segment::kRst | Segment::kAck, .seq = 5001, .ack = 1001}),
           Way::in);
    see_by(tcp({.out = true, .seq = 5001, .ack = 1001, .payload = Bytes(156)}), Way::in);
    EXPECT_TRUE(observer_.take_changed(now_).empty());
    EXPECT_EQ(numbers().gre_out, 10U);
    EXPECT_EQ(numbers().snd_nxt, 5001U);
}

// S4. Any number was good enough for them.
TEST_F(CallObserverTest, ForgedSegmentsMoveNothing) {
    shake_hands();
    observer_.follow(key_);
    see(tcp({.seq = 1001, .ack = 5001, .payload = message(5, 77)}));
    see(tcp({.out = true, .seq = 5001, .ack = 1017}));
    const pptp::CallNumbers before = numbers();
    const auto options = observer_.options_of(key_.peer);
    static_cast<void>(observer_.take_changed(now_));
    std::minstd_rand random(1);
    for (int i = 0; i < 1000; ++i) {
        const std::uint32_t far = 1017 + 20'000 + static_cast<std::uint32_t>(random());
        for (const auto flags :
             {Segment::kFin | Segment::kAck, Segment::kRst | 0, Segment::kRst | Segment::kAck,
              Segment::kAck | 0, Segment::kSyn | 0, Segment::kSyn | Segment::kAck}) {
            for (const int type : {3, 5, 12}) {
                const auto noted = see(tcp({.flags = static_cast<std::uint8_t>(flags),
                                            .seq = far,
                                            .ack = 5001,
                                            .options = syn_options(536, 1, 1),
                                            .payload = message(static_cast<std::uint16_t>(type), 5),
                                            .window = 1}));
                ASSERT_EQ(noted.news, News::none);
            }
        }
    }
    // In the window, but not its number; a right one that acknowledges what was never sent.
    EXPECT_EQ(see(tcp({.flags = Segment::kRst, .seq = 1018})).news, News::none);
    EXPECT_EQ(see(tcp({.flags = Segment::kFin | Segment::kAck, .seq = 1017, .ack = 900'000})).news,
              News::none);
    EXPECT_TRUE(observer_.take_changed(now_).empty());
    EXPECT_EQ(numbers(), before);
    EXPECT_EQ(observer_.options_of(key_.peer), options);
    EXPECT_EQ(see(tcp({.flags = Segment::kRst, .seq = 1017})).news, News::end_meant);
}

TEST_F(CallObserverTest, AHangUpCountsThoughOurLastReplyWasNotCaptured) {
    shake_hands();
    observer_.follow(key_);
    see(tcp({.seq = 1001, .ack = 5001, .payload = message(5, 77)}));
    see(tcp({.seq = 1017, .ack = 5021, .payload = message(12, 0)}));
    EXPECT_TRUE(numbers().hung_up);
}

TEST_F(CallObserverTest, ANewConnectionOfAPortBeginsWithOurAnswer) {
    shake_hands();
    observer_.follow(key_);
    see(tcp({.flags = Segment::kSyn, .seq = 70'000, .options = syn_options(900, 3, 50)}));
    EXPECT_EQ(observer_.options_of(key_.peer)->mss, 1400);
    see(tcp({.out = true, .flags = Segment::kSyn | Segment::kAck, .seq = 9, .ack = 5}));
    EXPECT_EQ(observer_.options_of(key_.peer)->mss, 1400) << "it answers another one";
    see(tcp({.out = true,
             .flags = Segment::kSyn | Segment::kAck,
             .seq = 90'000,
             .ack = 70'001,
             .options = syn_options(1400, 9, 900)}));
    EXPECT_EQ(observer_.options_of(key_.peer)->mss, 900);
    EXPECT_EQ(see(tcp({.seq = 70'001, .ack = 90'001})).news, News::begins);
    EXPECT_EQ(numbers().rcv_nxt, 70'001U);
}

TEST_F(CallObserverTest, LcpCostsNoKey) {
    observer_.follow(key_);
    see(gre(true, 7, 1, std::nullopt));
    EXPECT_EQ(numbers().mppe_out, 0U);
    EXPECT_EQ(numbers().gre_out, 1U);
}

TEST_F(CallObserverTest, TheClientsUnansweredEchoIsOpen) {
    shake_hands();
    observer_.follow(key_);
    see(tcp({.seq = 1001, .ack = 5001, .payload = message(5, 77)}));
    EXPECT_TRUE(numbers().echo_open);
    EXPECT_EQ(numbers().echo_id, 77U);
    see(tcp({.out = true, .seq = 5001, .ack = 1017, .payload = message(5, 3)}));
    EXPECT_TRUE(numbers().echo_open) << "our own question is no answer";
    see(tcp({.out = true, .seq = 5017, .ack = 1017, .payload = message(6, 77)}));
    EXPECT_FALSE(numbers().echo_open);
}

TEST_F(CallObserverTest, TheClientsHangUpIsKept) {
    constexpr std::uint16_t kStopRequest = 3;
    constexpr std::uint16_t kCallClear = 12;
    for (const std::uint16_t type : {kStopRequest, kCallClear}) {
        shake_hands();
        observer_.follow(key_);
        see(tcp({.out = true, .seq = 5001, .ack = 1001, .payload = message(type, 0)}));
        EXPECT_FALSE(numbers().hung_up) << "it is not the client's";
        see(tcp({.seq = 900'000, .ack = 5001, .payload = message(type, 0)}));
        see(tcp({.flags = Segment::kFin | Segment::kAck, .seq = 900'000, .ack = 5001}));
        EXPECT_FALSE(numbers().hung_up) << "it is not of this stream";
        // Beside an echo of which our acknowledgement was not seen.
        see(tcp({.seq = 1001, .ack = 5001, .payload = message(5, 77)}));
        see(tcp({.seq = 1017, .ack = 5001, .payload = message(type, 0)}));
        EXPECT_TRUE(numbers().hung_up);
        EXPECT_EQ(numbers().stop_open, type == kStopRequest);
        see(tcp({.out = true, .seq = 5017, .ack = 1033, .payload = message(6, 77)}));
        EXPECT_TRUE(numbers().hung_up);
        // The next connection of this port.
        shake_hands();
        EXPECT_FALSE(numbers().hung_up);
        EXPECT_FALSE(numbers().stop_open);
    }
    see(tcp({.out = true, .seq = 5001, .ack = 1001}));
    see(tcp({.flags = Segment::kFin | Segment::kAck, .seq = 1001, .ack = 5001}));
    EXPECT_TRUE(numbers().hung_up);
    EXPECT_FALSE(numbers().stop_open);
}

TEST_F(CallObserverTest, ReportsWhichEndsAreMeant) {
    for (const std::uint16_t type : {std::uint16_t{3}, std::uint16_t{12}, std::uint16_t{13}}) {
        for (const bool out : {false, true}) {
            shake_hands();
            const auto noted =
                see(tcp({.out = out, .seq = out ? 5001U : 1001U, .payload = message(type, 0)}));
            EXPECT_EQ(noted.news, News::end_meant) << type;
            EXPECT_EQ(noted.peer, key_.peer);
        }
    }
    shake_hands();
    EXPECT_EQ(see(tcp({.flags = Segment::kFin | Segment::kAck, .seq = 1001})).news,
              News::end_meant);
    shake_hands();
    EXPECT_EQ(see(tcp({.out = true, .flags = Segment::kFin | Segment::kAck, .seq = 5001})).news,
              News::none)
        << "a server that dies means nothing by it";
    EXPECT_EQ(see(tcp({.seq = 1001, .payload = message(5, 1)})).news, News::none);
}

TEST_F(CallObserverTest, ReportsEachChangeOnce) {
    shake_hands();
    observer_.follow(key_);
    EXPECT_EQ(observer_.take_changed(now_).size(), 1U);
    EXPECT_TRUE(observer_.take_changed(now_).empty());
    see(gre(true, 7, 1, 0));
    see(gre(true, 7, 2, 1));
    EXPECT_EQ(observer_.sent_unread(), 2U);
    EXPECT_EQ(observer_.take_changed(now_).size(), 1U);
    EXPECT_EQ(observer_.sent_unread(), 0U);
    observer_.forget(key_, now_);
    see(gre(true, 7, 3, 2));
    EXPECT_TRUE(observer_.take_changed(now_).empty());
}

TEST(ObservedPacketTest, WhatIsCutShortOrNoneOfOursIsNothing) {
    const Bytes segment = tcp({.flags = Segment::kSyn, .options = syn_options(1460, 7, 1)});
    for (std::size_t size = 0; size < segment.size(); ++size) {
        EXPECT_FALSE(parse_observed(ByteView(segment).first(size)).has_value()) << size;
    }
    const Bytes packet = gre(true, 7, 1, 5);
    for (std::size_t size = 0; size < 20 + 16; ++size) {
        EXPECT_FALSE(parse_observed(ByteView(packet).first(size)).has_value()) << size;
    }
    EXPECT_FALSE(parse_observed(ipv4(17, 1, 2, Bytes(20))).has_value());
    EXPECT_FALSE(parse_observed(ipv4(6, 1, 2, Bytes(20), 0x2001)).has_value())
        << "a later fragment";
    Bytes version_0 = packet;
    version_0[21] = 0x80;
    EXPECT_FALSE(parse_observed(version_0).has_value());
}

TEST(ObservedPacketTest, PayloadCountsAsItWasOnTheWire) {
    Bytes bytes = tcp({.seq = 100, .payload = Bytes(156)});
    bytes.resize(60);
    const auto packet = parse_observed(bytes);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(std::get<ObservedSegment>(*packet).end, 256U);
}

// S3: a table that never aged left each new call unprotected, after so many of these.
// The end of a connection that is believed is let out by the gate: a RST of this node's kernel,
// which has no socket for a call that is being resumed, would end it.
TEST_F(CallObserverTest, AForgedSynEndsNoCallThatIsBeingResumed) {
    std::mt19937 random(1);
    const auto number = [&random] { return static_cast<std::uint32_t>(random()); };
    const auto ends = [&](std::uint32_t theirs, std::uint32_t ours) {
        for (int n = 0; n < 200; ++n) {
            // The probe, or the repaired socket, with the numbers of the real connection.
            see(tcp({.out = true, .seq = ours, .ack = theirs, .options = timestamps(900)}));
            for (const int flags : {int{Segment::kRst}, Segment::kRst | Segment::kAck,
                                    Segment::kFin | Segment::kAck}) {
                const auto noted = see(tcp(
                    {.flags = static_cast<std::uint8_t>(flags), .seq = number(), .ack = number()}));
                ASSERT_NE(noted.news, News::end_meant) << n;
            }
            // The client distrusts what it was sent.
            ASSERT_NE(see(tcp({.seq = theirs, .ack = ours})).news, News::end_meant);
        }
    };
    for (int n = 0; n < 20; ++n) {
        const std::uint32_t forged = number();
        see(tcp({.flags = Segment::kSyn, .seq = forged}));
        see(tcp({.out = true,
                 .flags = Segment::kSyn | Segment::kAck,
                 .seq = number(),
                 .ack = forged + 1}));
        ends(number(), number());
    }
    now_ += 1min;
    // Beside the repaired socket, which answers no SYN.
    for (int n = 0; n < 20; ++n) {
        see(tcp({.flags = Segment::kSyn, .seq = number()}));
        ends(number(), number());
    }
}

TEST_F(CallObserverTest, ForgedSynsKeepNoCallOut) {
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        see_syn(i);
    }
    EXPECT_EQ(observer_.connections(), CallObserver::kConnectionsMax);
    EXPECT_EQ(observer_.evicted(), 20'000 - CallObserver::kConnectionsMax);
    shake_hands();
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        see_syn(i);
    }
    EXPECT_TRUE(observer_.options_of(key_.peer)) << "half-open ones go first";
    now_ += CallObserver::kHandshakePause;
    see_syn(60'001);
    EXPECT_EQ(observer_.connections(), 2U);
}

TEST_F(CallObserverTest, ClientsThatVanishAreForgotten) {
    for (std::uint16_t port = 1024; port < 1124; ++port) {
        connect_and_vanish(port);
    }
    shake_hands();
    observer_.follow(key_);
    now_ += CallObserver::kWithoutCallPause - 1s;
    connect_and_vanish(2000);
    EXPECT_EQ(observer_.connections(), 102U);
    now_ += 1s;
    EXPECT_THAT(observer_.take_changed(now_), testing::SizeIs(1));
    EXPECT_EQ(observer_.connections(), 2U);
    EXPECT_TRUE(observer_.options_of(key_.peer)) << "it has a call";
    observer_.forget(key_, now_);
    now_ += CallObserver::kWithoutCallPause;
    static_cast<void>(observer_.take_changed(now_));
    EXPECT_EQ(observer_.connections(), 0U);
}

TEST_F(CallObserverTest, AConnectionThatIsInUseStaysWithoutACall) {
    shake_hands();
    for (int minute = 1; minute < 10; ++minute) {
        now_ += 60s;
        see(tcp({.seq = 1001, .ack = 5001}));
        static_cast<void>(observer_.take_changed(now_));
    }
    EXPECT_TRUE(observer_.options_of(key_.peer));
}

TEST_F(CallObserverTest, WhereAllHaveCallsANewOneIsNotFollowed) {
    for (std::uint32_t i = 0; i < CallObserver::kConnectionsMax; ++i) {
        see_syn(i);
        pptp::CallKey key = key_;
        key.peer = {Ipv4Address{kClient + 1}, static_cast<std::uint16_t>(1024 + i)};
        key.id = pptp::CallId{static_cast<std::uint16_t>(i)};
        observer_.follow(key);
    }
    see_syn(59'999);
    EXPECT_EQ(observer_.connections(), CallObserver::kConnectionsMax);
    EXPECT_EQ(observer_.evicted(), 1U);
}

}  // namespace call_observer_test
}  // namespace vpnha::adapters
