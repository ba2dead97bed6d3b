// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "host/netlink/nftables.hpp"
#include "unit/protocols/ipsec/backend/charon_relay_fixture.hpp"

namespace vpnha::adapters {
namespace charon_relay_test {

TEST_F(CharonRelayTest, ACharonThatEndsIsGone) {
    auto charon = std::make_unique<FakeCharon>();
    become_known(*charon);
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    run();
    charon.reset();
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: charon has ended"), "gone"));
    relay_->feed({about(HaType::ike_delete, 7)}, 2);
    run();
    EXPECT_THAT(news(), ElementsAre("fed 2: charon is not there"));
}

TEST_F(CharonRelayTest, ACharonThatWasStartedAgainAtOnceIsAnotherOne) {
    auto charon = std::make_unique<FakeCharon>();
    charon->emit(between_nodes(HaType::segment_take, true));
    run();
    EXPECT_THAT(news(), ElementsAre("active"));
    charon.reset();
    charon = std::make_unique<FakeCharon>();
    charon->emit(between_nodes(HaType::status));
    charon->emit(between_nodes(HaType::resync));
    ASSERT_TRUE(runs_until([this] { return news_.size() >= 2; }));
    EXPECT_THAT(news(), ElementsAre("gone", "fresh"));
}

TEST_F(CharonRelayTest, ASilentCharonIsGoneOnceAndFedAnewWhenItSpeaksAgain) {
    const FakeCharon charon;
    become_known(charon);
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre("gone"));
    run(std::chrono::milliseconds(1500));
    EXPECT_THAT(news(), IsEmpty());
    // What it was fed before: it goes, before it is fed again.
    const ipsec::IkeId had{.key = {.version = 2, .spi_i = 7, .spi_r = ~7ULL}};
    let_have({had});
    charon.emit(between_nodes(HaType::status));
    std::vector<Bytes> received;
    ASSERT_TRUE(runs_until([&] {
        std::ranges::move(charon.received(), std::back_inserter(received));
        return !received.empty();
    }));
    EXPECT_THAT(received, ElementsAre(ipsec::build_ike_delete(had)));
    EXPECT_THAT(news(), IsEmpty());
    let_have({});
    ASSERT_TRUE(runs_until([this] { return !news_.empty(); }));
    EXPECT_THAT(news(), ElementsAre("fresh"));
    relay_->feed({about(HaType::ike_delete, 8)}, 1);
    run();
    EXPECT_THAT(charon.received(), SizeIs(1));
}

TEST_F(CharonRelayTest, OneThatServesMayBeSilent) {
    const FakeCharon charon;
    become_known(charon);
    charon.emit(between_nodes(HaType::segment_take, true));
    run(std::chrono::milliseconds(4500));
    EXPECT_THAT(news(), ElementsAre("active"));
    charon.emit(between_nodes(HaType::status, true));
    run();
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(CharonRelayTest, ACharonIsFedNothingBeforeItIsEmpty) {
    const FakeCharon charon;
    run();
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    run();
    EXPECT_THAT(news(), ElementsAre("fed 1: charon is being made empty"));
    EXPECT_THAT(charon.received(), IsEmpty());
}

TEST_F(CharonRelayTest, ACharonThatWasThereBeforeVpnhadIsMadeEmpty) {
    const FakeCharon charon;
    const ipsec::IkeId had{.key = {.version = 1, .spi_i = 3, .spi_r = 4}, .initiator = true};
    let_have({had, had});
    charon.emit(between_nodes(HaType::status, true));
    run(std::chrono::milliseconds(1700));
    charon.emit(between_nodes(HaType::status, true));
    run(std::chrono::milliseconds(1700));
    EXPECT_THAT(news(), ElementsAre("active"));
    EXPECT_EQ(listings_, 0) << "one that is active would tell its peers";
    charon.emit(between_nodes(HaType::segment_drop));
    std::vector<Bytes> received;
    ASSERT_TRUE(runs_until([&] {
        std::ranges::move(charon.received(), std::back_inserter(received));
        return received.size() >= 2;
    }));
    let_have({});
    ASSERT_TRUE(runs_until([this] { return news_.size() >= 2; }));
    EXPECT_THAT(received, Each(ipsec::build_ike_delete(had)));
    EXPECT_THAT(news(), ElementsAre("passive", "fresh"));
}

TEST_F(CharonRelayTest, OfAnSaToEndThatCharonDoesNotHaveTheEndIsReported) {
    const FakeCharon charon;
    const ipsec::IkeId has{.key = {.version = 2, .spi_i = 7, .spi_r = 1}};
    const ipsec::IkeId absent{.key = {.version = 1, .spi_i = 8, .spi_r = 1}};
    charon.emit(between_nodes(HaType::segment_take, true));
    run();
    let_have({has});
    relay_->end({has.key, absent.key});
    ASSERT_TRUE(runs_until([this] { return !emitted_.empty(); }));
    EXPECT_THAT(emitted_, ElementsAre(ipsec::build_ike_delete(absent)));
}

TEST_F(CharonRelayTest, NobodyElseReceivesAWordOfCharon) {
    relay_.reset();
    UniqueFd stranger(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    bind_at(stranger, "127.0.0.2");
    const FakeCharon charon;
    charon.emit(ike_add(7));
    std::array<char, 4096> text{};
    EXPECT_LT(recv(stranger.get(), text.data(), text.size(), 0), 0);
    // Nor does a stranger say one.
    ASSERT_EQ(seteuid(65534), 0);
    UniqueFd user(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(seteuid(0), 0);
    stranger.reset();
    bind_at(user, "127.0.0.2");
    const sockaddr_in to = FakeCharon::at("127.0.0.1");
    EXPECT_LT(sendto(user.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_THAT(charon.received(), IsEmpty());
}

TEST_F(CharonRelayTest, AGuardThatIsTakenAwayIsPutBackAndMissedMeanwhile) {
    EXPECT_EQ(relay_->warning(), "");
    ASSERT_TRUE(run_nftables("flush ruleset"));
    ASSERT_TRUE(runs_until([this] { return !relay_->warning().empty(); }));
    EXPECT_THAT(relay_->warning(), HasSubstr("vpnha_charon is missing"));
    ASSERT_TRUE(runs_until([this] { return relay_->warning().empty(); }));
    EXPECT_EQ(guards_, 1);
    EXPECT_TRUE(is_charon_guarded().value_or(false));
}

TEST_F(CharonRelayTest, WhatItCouldNotReadCharonIsToReportAgain) {
    const FakeCharon charon;
    become_known(charon);
    charon.emit(between_nodes(HaType::segment_take, true));
    run();
    EXPECT_THAT(news(), ElementsAre("active"));
    const Bytes large = ike_add(7, 4000);
    for (int i = 0; i < 6000; ++i) {
        charon.emit(large);
    }
    const Fifo fifo(fifo_);
    std::string notified;
    ASSERT_TRUE(runs_until([&] {
        notified += fifo.notified();
        return !notified.empty();
    }));
    EXPECT_EQ(notified, "*1");
    EXPECT_LT(emitted_.size(), 6000U);
    EXPECT_TRUE(runs_until([this] {
        return emitted_.size() + relay_->drops().from_charon == 6000;
    })) << emitted_.size()
        << " and " << relay_->drops().from_charon;
    run(std::chrono::seconds(2));
    EXPECT_EQ(fifo.notified(), "") << "once";
}

TEST_F(CharonRelayTest, ItsPortInTheHandsOfAnotherIsAWarningUntilItIsFree) {
    relay_.reset();
    UniqueFd other(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    bind_at(other, "127.0.0.2");
    const FakeCharon charon;
    open();
    EXPECT_THAT(relay_->warning(), HasSubstr("127.0.0.2:4510"));
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    run();
    EXPECT_THAT(news(), ElementsAre("fed 1: charon is not there"));
    other.reset();
    ASSERT_TRUE(runs_until([this] { return relay_->warning().empty(); }));
    become_known(charon);
}

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
