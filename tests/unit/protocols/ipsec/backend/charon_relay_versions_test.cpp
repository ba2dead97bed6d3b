// SPDX-License-Identifier: GPL-2.0-or-later
// Charons of strongSwan 6: their messages have other numbers
// (protocols/ipsec/model/ha_message.hpp).
#include <gmock/gmock.h>

#include "unit/protocols/ipsec/backend/charon_relay_fixture.hpp"

namespace vpnha::adapters {
namespace charon_relay_test {

constexpr std::size_t kIdBytes = 1 + 18;

// A message of one IKE SA and one prefixed attribute, as a charon of that version has it.
Bytes as_of(std::uint8_t version, HaType type, std::uint8_t tag, const Bytes& value) {
    Bytes octets = about(type, 7);
    octets[0] = version;
    ByteWriter out;
    out.bytes(octets).u8(tag).prefixed(value);
    return std::move(out).take();
}

Bytes of_version(std::uint8_t version, HaType type) {
    Bytes octets = between_nodes(type);
    octets[0] = version;
    return octets;
}

Bytes status_of(std::uint8_t version) {
    return of_version(version, HaType::status);
}

Bytes resync_of(std::uint8_t version) {
    return of_version(version, HaType::resync);
}

TEST_F(CharonRelayTest, ACharonOf6IsFedItsOwnNumbers) {
    const FakeCharon charon;
    charon.emit(resync_of(4));
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre("fresh of 4"));
    // A pre-shared key is 39 in 5.9, and 41 in 6.0.1.
    const Bytes psk = as_of(4, HaType::ike_add, 41, {1, 2, 3});
    charon.emit(psk);
    run();
    ASSERT_THAT(emitted_, SizeIs(1));
    EXPECT_EQ(emitted_[0][0], 3) << "records have one dialect";
    EXPECT_EQ(emitted_[0][2 + kIdBytes], static_cast<std::uint8_t>(HaTag::psk));
    relay_->feed(emitted_, 1);
    run();
    EXPECT_THAT(charon.received(), ElementsAre(psk));
}

TEST_F(CharonRelayTest, ACharonOf5_9IsFedWhatOneOf6HasSent) {
    const FakeCharon charon;
    become_known(charon);
    const Bytes psk = as_of(5, HaType::ike_add, 41, {1, 2, 3});
    charon.emit(psk);
    charon.emit(between_nodes(HaType::status));
    run();
    ASSERT_THAT(emitted_, SizeIs(1));
    relay_->feed(emitted_, 1);
    run();
    EXPECT_THAT(charon.received(), ElementsAre(as_of(3, HaType::ike_add, 39, {1, 2, 3})));
}

TEST_F(CharonRelayTest, WhatItsVersionDoesNotHaveIsNoMessageForIt) {
    const FakeCharon charon;
    become_known(charon);
    charon.emit(as_of(4, HaType::child_add, 18, {9, 9}));  // A further secret.
    charon.emit(between_nodes(HaType::status));
    run();
    ASSERT_THAT(emitted_, SizeIs(1));
    relay_->feed(emitted_, 1);
    run();
    EXPECT_THAT(charon.received(), IsEmpty());
    EXPECT_THAT(news(), ElementsAre(HasSubstr("several key exchanges")));
}

// strongSwan #2781.
TEST_F(CharonRelayTest, HalfOpenSasEndBefore6_0_1IsTurned) {
    const FakeCharon charon;
    charon.emit(status_of(4));
    run();
    const Fifo fifo(fifo_);
    relay_->turn(true);
    run();
    EXPECT_EQ(fifo.notified(), "+1");
    EXPECT_EQ(clearings_, 0) << "a passive charon has none";
    charon.emit(Bytes{4, 9, 36, 0, 1});  // It has taken segment 1.
    run();
    relay_->turn(false);
    std::string notified;
    ASSERT_TRUE(runs_until([&] { return (notified += fifo.notified()) == "-1"; }));
    EXPECT_EQ(clearings_, 1);
    EXPECT_THAT(news(), ElementsAre("active"));
}

// It may not have received that an IKE SA was established.
TEST_F(CharonRelayTest, HalfOpenSasEndBeforeOneThatHasLostMessagesIsMadeActive) {
    const FakeCharon charon;
    charon.emit(resync_of(4));
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    charon.shrink_queue();
    charon.emit(as_of(4, HaType::ike_add, 41, Bytes(500, 1)));
    run();
    ASSERT_THAT(emitted_, SizeIs(1));
    relay_->feed(std::vector<Bytes>(20, emitted_.at(0)), 1);
    ASSERT_TRUE(runs_until([this] { return relay_->drops().to_charon > 0; }));
    const Fifo fifo(fifo_);
    relay_->turn(true);
    std::string notified;
    ASSERT_TRUE(runs_until([&] { return (notified += fifo.notified()) == "+1"; }));
    EXPECT_EQ(clearings_, 1);
}

TEST_F(CharonRelayTest, OthersAreTurnedAsTheyAre) {
    for (const std::uint8_t version : std::array<std::uint8_t, 2>{3, 5}) {
        const FakeCharon charon;
        charon.emit(status_of(version));
        run();
        const Fifo fifo(fifo_);
        relay_->turn(false);
        std::string notified;
        ASSERT_TRUE(runs_until([&] { return (notified += fifo.notified()) == "-1"; }))
            << static_cast<int>(version);
        EXPECT_EQ(clearings_, 0);
    }
}

TEST_F(CharonRelayTest, ACharonWhoseVersionIsNotKnownYetIsFedNothing) {
    const FakeCharon charon;
    run(std::chrono::milliseconds(3200));  // It could have been made empty by then.
    EXPECT_EQ(listings_, 0);
    charon.emit(status_of(5));
    EXPECT_TRUE(runs_until([this] { return !news_.empty() && news_.back() == "fresh of 5"; }));
}

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
