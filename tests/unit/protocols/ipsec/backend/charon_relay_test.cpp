// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "host/netlink/nftables.hpp"
#include "unit/protocols/ipsec/backend/charon_relay_fixture.hpp"

namespace vpnha::adapters {
namespace charon_relay_test {

TEST_F(CharonRelayTest, WhatCharonReportsGoesUpWithItsSecretsSealed) {
    const FakeCharon charon;
    charon.emit(ike_add(7));
    run();
    ASSERT_THAT(emitted_, SizeIs(1));
    EXPECT_THAT(to_text(emitted_[0]), Not(HasSubstr(kPsk)));
    const auto sealed = ipsec::parse_ha_message(emitted_[0]);
    ASSERT_TRUE(sealed) << sealed.error().detail;
    EXPECT_EQ(sealed->find(HaTag::psk)->size(), kPsk.size() + SecretBox::kOverhead);
    EXPECT_THAT(*sealed->find(HaTag::iv), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(CharonRelayTest, AnotherNodesCharonGetsTheVeryMessage) {
    const FakeCharon charon;
    become_known(charon);
    charon.emit(ike_add(7));
    charon.emit(about(HaType::ike_delete, 7));
    run();
    relay_->feed(emitted_, 42);
    EXPECT_THAT(charon.received(), IsEmpty()) << "not from within the call";
    run();
    EXPECT_THAT(news(), IsEmpty()) << "it has read nothing yet";
    EXPECT_THAT(charon.received(), ElementsAre(ike_add(7), about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 42"));
}

TEST_F(CharonRelayTest, WhatAnotherClusterSealedIsRefused) {
    const FakeCharon charon;
    charon.emit(ike_add(7));
    run();
    open(secrets("another key"));
    become_known(charon);
    relay_->feed(emitted_, 1);
    relay_->feed({about(HaType::ike_delete, 7)}, 2);
    run();
    EXPECT_THAT(charon.received(), ElementsAre(about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: a sealed secret does not open"), "fed 2"));
    EXPECT_EQ(relay_->drops().refused, 1U);
}

TEST_F(CharonRelayTest, ASecretIsBoundToItsSa) {
    const FakeCharon charon;
    become_known(charon);
    charon.emit(ike_add(7));
    run();
    // The other SA's identity in front of this one's secrets.
    Bytes moved = emitted_.at(0);
    const Bytes other = ike_add(8);
    std::copy_n(other.begin(), 3 + 18, moved.begin());
    relay_->feed({moved}, 1);
    run();
    EXPECT_THAT(charon.received(), IsEmpty());
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: a sealed secret does not open")));
}

TEST_F(CharonRelayTest, WhatIsBetweenTwoNodesOfAPairGoesNeitherWay) {
    const FakeCharon charon;
    become_known(charon);
    run();
    for (const HaType type :
         {HaType::status, HaType::resync, HaType::segment_take, HaType::segment_drop}) {
        relay_->feed({between_nodes(type)}, static_cast<std::uint64_t>(type));
        run();
        charon.emit(between_nodes(type, type == HaType::segment_take));
        run();
    }
    EXPECT_THAT(emitted_, IsEmpty());
    EXPECT_THAT(charon.received(), IsEmpty());
    EXPECT_THAT(news(),
                ElementsAre(HasSubstr("fed 10: no message"), HasSubstr("fed 11: no message"),
                            "fresh", HasSubstr("fed 9: no message"), "active",
                            HasSubstr("fed 8: no message"), "passive"));
}

TEST_F(CharonRelayTest, ItsStatusReportsWhatAnAnswerThatWasLostWouldHaveReported) {
    const FakeCharon charon;
    charon.emit(between_nodes(HaType::status));
    charon.emit(between_nodes(HaType::status, true));
    charon.emit(between_nodes(HaType::status, true));
    charon.emit(between_nodes(HaType::status));
    run();
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, OnlyRootIsTakenForCharon) {
    ASSERT_TRUE(run_nftables("delete table inet vpnha_charon")) << "or it could not say a word";
    const FakeCharon stranger(65534);
    stranger.emit(ike_add(7));
    stranger.emit(between_nodes(HaType::resync));
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    relay_->turn(true);
    const Fifo fifo(fifo_);
    run();
    EXPECT_THAT(emitted_, IsEmpty());
    EXPECT_THAT(stranger.received(), IsEmpty());
    EXPECT_EQ(fifo.notified(), "");
    EXPECT_THAT(news(), ElementsAre("fed 1: charon is not there"));
}

TEST_F(CharonRelayTest, ManyMessagesWaitForCharonToReadThem) {
    const FakeCharon charon;
    become_known(charon);
    run();
    charon.emit(ike_add(7));
    run();
    const std::vector<Bytes> many(2000, emitted_.at(0));
    relay_->feed(many, 1);
    run();
    const std::size_t first = charon.received().size();
    EXPECT_GT(first, 10U);
    EXPECT_LT(first, 200U) << "as much as its queue has room for, with some to spare";
    std::size_t received = first;
    ASSERT_TRUE(runs_until([&] {
        received += charon.received().size();
        return !news_.empty();
    }));
    EXPECT_EQ(received, many.size());
    EXPECT_THAT(news(), ElementsAre("fed 1"));
}

TEST_F(CharonRelayTest, WhatCharonsQueueDroppedIsNotCalledFed) {
    const FakeCharon charon;
    become_known(charon);
    charon.shrink_queue();
    charon.emit(ike_add(7));
    run();
    relay_->feed(std::vector<Bytes>(20, emitted_.at(0)), 1);
    relay_->feed({emitted_.at(0)}, 2);
    ASSERT_TRUE(runs_until([this] { return news_.size() >= 2; }));
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: charon's queue was full"),
                                    HasSubstr("fed 2: charon's queue was full")));
    EXPECT_LT(charon.received().size(), 20U);
    EXPECT_GT(relay_->drops().to_charon, 0U);
    relay_->feed({about(HaType::ike_delete, 7)}, 3);
    run();
    EXPECT_THAT(charon.received(), SizeIs(1));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 3"));
}

TEST_F(CharonRelayTest, ItIsTurnedByItsFifoAndReportsWhenItIs) {
    const FakeCharon charon;
    run();
    relay_->turn(true);
    run();
    EXPECT_THAT(news(), IsEmpty());
    {
        const Fifo fifo(fifo_);
        run(std::chrono::milliseconds(50));
        EXPECT_EQ(fifo.notified(), "+1") << "as soon as it reads its fifo";
    }
    relay_->turn(false);
    const Fifo fifo(fifo_);
    run();
    EXPECT_EQ(fifo.notified(), "") << "one command after the other's answer";
    charon.emit(between_nodes(HaType::segment_take, true));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.notified(), "-1");
    charon.emit(between_nodes(HaType::segment_drop));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.notified(), "");
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, ACommandWithoutAnAnswerIsRepeated) {
    const FakeCharon charon;
    run();
    const Fifo fifo(fifo_);
    relay_->turn(true);
    run();
    EXPECT_EQ(fifo.notified(), "+1");
    for (int i = 0; i < 5; ++i) {
        run(std::chrono::milliseconds(500));
        charon.emit(between_nodes(HaType::status));
    }
    EXPECT_EQ(fifo.notified(), "+1");
}

TEST_F(CharonRelayTest, AMessageOfAnotherVersionIsNotTaken) {
    const FakeCharon charon;
    Bytes message = ike_add(7);
    message[0] = 6;
    charon.emit(message);
    charon.emit(Bytes(limits::kHaMessageBytesMax + 1, 3));
    charon.emit({});
    run();
    EXPECT_THAT(emitted_, IsEmpty());
    EXPECT_THAT(news(), IsEmpty());
    EXPECT_EQ(relay_->drops().refused, 3U);
}

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
