// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "host/netlink/nftables.hpp"
#include "unit/protocols/ipsec/backend/charon_relay_fixture.hpp"

namespace vpnha::adapters {
namespace charon_relay_test {

TEST_F(CharonRelayTest, WhatCharonSaysGoesUpWithItsSecretsSealed) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    run();
    ASSERT_THAT(said_, SizeIs(1));
    EXPECT_THAT(to_text(said_[0]), Not(HasSubstr(kPsk)));
    const auto sealed = ipsec::parse_ha_message(said_[0]);
    ASSERT_TRUE(sealed) << sealed.error().detail;
    EXPECT_EQ(sealed->find(HaTag::psk)->size(), kPsk.size() + SecretBox::kOverhead);
    EXPECT_THAT(*sealed->find(HaTag::iv), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(news(), IsEmpty());
}

TEST_F(CharonRelayTest, AnotherNodesCharonGetsTheVeryMessage) {
    const FakeCharon charon;
    become_known(charon);
    charon.say(ike_add(7));
    charon.say(about(HaType::ike_delete, 7));
    run();
    relay_->feed(said_, 42);
    EXPECT_THAT(charon.heard(), IsEmpty()) << "not from within the call";
    run();
    EXPECT_THAT(news(), IsEmpty()) << "it has read nothing yet";
    EXPECT_THAT(charon.heard(), ElementsAre(ike_add(7), about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 42"));
}

TEST_F(CharonRelayTest, WhatAnotherClusterSealedIsRefused) {
    const FakeCharon charon;
    charon.say(ike_add(7));
    run();
    open(secrets("another key"));
    become_known(charon);
    relay_->feed(said_, 1);
    relay_->feed({about(HaType::ike_delete, 7)}, 2);
    run();
    EXPECT_THAT(charon.heard(), ElementsAre(about(HaType::ike_delete, 7)));
    run();
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: a sealed secret does not open"), "fed 2"));
    EXPECT_EQ(relay_->drops().refused, 1U);
}

TEST_F(CharonRelayTest, ASecretIsBoundToItsSa) {
    const FakeCharon charon;
    become_known(charon);
    charon.say(ike_add(7));
    run();
    // The other SA's identity in front of this one's secrets.
    Bytes moved = said_.at(0);
    const Bytes other = ike_add(8);
    std::copy_n(other.begin(), 3 + 18, moved.begin());
    relay_->feed({moved}, 1);
    run();
    EXPECT_THAT(charon.heard(), IsEmpty());
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
        charon.say(between_nodes(type, type == HaType::segment_take));
        run();
    }
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(charon.heard(), IsEmpty());
    EXPECT_THAT(news(),
                ElementsAre(HasSubstr("fed 10: no message"), HasSubstr("fed 11: no message"),
                            "fresh", HasSubstr("fed 9: no message"), "active",
                            HasSubstr("fed 8: no message"), "passive"));
}

TEST_F(CharonRelayTest, ItsStatusSaysWhatAnAnswerThatWasLostWouldHaveSaid) {
    const FakeCharon charon;
    charon.say(between_nodes(HaType::status));
    charon.say(between_nodes(HaType::status, true));
    charon.say(between_nodes(HaType::status, true));
    charon.say(between_nodes(HaType::status));
    run();
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, OnlyRootIsTakenForCharon) {
    ASSERT_TRUE(run_nftables("delete table inet vpnha_charon")) << "or it could not say a word";
    const FakeCharon stranger(65534);
    stranger.say(ike_add(7));
    stranger.say(between_nodes(HaType::resync));
    relay_->feed({about(HaType::ike_delete, 7)}, 1);
    relay_->turn(true);
    const Fifo fifo(fifo_);
    run();
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(stranger.heard(), IsEmpty());
    EXPECT_EQ(fifo.told(), "");
    EXPECT_THAT(news(), ElementsAre("fed 1: charon is not there"));
}

TEST_F(CharonRelayTest, ManyMessagesWaitForCharonToReadThem) {
    const FakeCharon charon;
    become_known(charon);
    run();
    charon.say(ike_add(7));
    run();
    const std::vector<Bytes> many(2000, said_.at(0));
    relay_->feed(many, 1);
    run();
    const std::size_t first = charon.heard().size();
    EXPECT_GT(first, 10U);
    EXPECT_LT(first, 200U) << "as much as its queue has room for, with some to spare";
    std::size_t heard = first;
    ASSERT_TRUE(runs_until([&] {
        heard += charon.heard().size();
        return !news_.empty();
    }));
    EXPECT_EQ(heard, many.size());
    EXPECT_THAT(news(), ElementsAre("fed 1"));
}

TEST_F(CharonRelayTest, WhatCharonsQueueDroppedIsNotCalledFed) {
    const FakeCharon charon;
    become_known(charon);
    charon.shrink_queue();
    charon.say(ike_add(7));
    run();
    relay_->feed(std::vector<Bytes>(20, said_.at(0)), 1);
    relay_->feed({said_.at(0)}, 2);
    ASSERT_TRUE(runs_until([this] { return news_.size() >= 2; }));
    EXPECT_THAT(news(), ElementsAre(HasSubstr("fed 1: charon's queue was full"),
                                    HasSubstr("fed 2: charon's queue was full")));
    EXPECT_LT(charon.heard().size(), 20U);
    EXPECT_GT(relay_->drops().to_charon, 0U);
    relay_->feed({about(HaType::ike_delete, 7)}, 3);
    run();
    EXPECT_THAT(charon.heard(), SizeIs(1));
    run();
    EXPECT_THAT(news(), ElementsAre("fed 3"));
}

TEST_F(CharonRelayTest, ItIsTurnedByItsFifoAndSaysWhenItIs) {
    const FakeCharon charon;
    run();
    relay_->turn(true);
    run();
    EXPECT_THAT(news(), IsEmpty());
    {
        const Fifo fifo(fifo_);
        run(std::chrono::milliseconds(50));
        EXPECT_EQ(fifo.told(), "+1") << "as soon as it reads its fifo";
    }
    relay_->turn(false);
    const Fifo fifo(fifo_);
    run();
    EXPECT_EQ(fifo.told(), "") << "one command after the other's answer";
    charon.say(between_nodes(HaType::segment_take, true));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.told(), "-1");
    charon.say(between_nodes(HaType::segment_drop));
    run(std::chrono::milliseconds(50));
    EXPECT_EQ(fifo.told(), "");
    EXPECT_THAT(news(), ElementsAre("active", "passive"));
}

TEST_F(CharonRelayTest, ACommandWithoutAnAnswerIsRepeated) {
    const FakeCharon charon;
    run();
    const Fifo fifo(fifo_);
    relay_->turn(true);
    run();
    EXPECT_EQ(fifo.told(), "+1");
    for (int i = 0; i < 5; ++i) {
        run(std::chrono::milliseconds(500));
        charon.say(between_nodes(HaType::status));
    }
    EXPECT_EQ(fifo.told(), "+1");
}

TEST_F(CharonRelayTest, AMessageOfAnotherVersionIsNotTaken) {
    const FakeCharon charon;
    Bytes message = ike_add(7);
    message[0] = 6;
    charon.say(message);
    charon.say(Bytes(limits::kHaMessageBytesMax + 1, 3));
    charon.say({});
    run();
    EXPECT_THAT(said_, IsEmpty());
    EXPECT_THAT(news(), IsEmpty());
    EXPECT_EQ(relay_->drops().refused, 3U);
}

}  // namespace charon_relay_test
}  // namespace vpnha::adapters
