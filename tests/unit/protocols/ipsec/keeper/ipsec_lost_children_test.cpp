// SPDX-License-Identifier: GPL-2.0-or-later
// The promoted node dies, and its successor has an IKE SA without its CHILD SA: what it does.
#include "protocols/ipsec/work.hpp"
#include "unit/protocols/ipsec/keeper/ipsec_pair.hpp"

namespace vpnha::keepers {
namespace ipsec_lost_children_test {

using namespace ipsec_pair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kTooEarly = milliseconds(4900);
constexpr auto kJudged = milliseconds(5600);

class IpsecLostChildrenTest : public Pair {
  protected:
    // All that a standby has of it.
    void take_over(Site& to, Site& from, std::uint64_t number) {
        promote(to, number);
        from.keeper_.mute(from.effects_);
        settle();
    }
    void take_over() { take_over(b_, a_, 2); }
    [[nodiscard]] std::uint64_t count() const {
        return b_.keeper_.counts().at("ike_sas_ended_childless");
    }
    void ask(std::uint32_t mid) {
        b_.notify(node::IkeSeen{{.key = first_.id.key, .mid = mid}}, now_);
        settle();
    }
};

TEST_F(IpsecLostChildrenTest, AnIkeSaThatCameWithoutItsChildIsEndedOnce) {
    establish_childless(first_);
    take_over();
    pass(kTooEarly);
    EXPECT_THAT(b_.ended_, IsEmpty()) << "its client may be about to make one";
    pass(kJudged - kTooEarly);
    EXPECT_THAT(b_.ended_, ElementsAre(ElementsAre(first_.id.key)));
    EXPECT_EQ(count(), 1U);
    EXPECT_THAT(b_.last_logged_, HasSubstr("carol@example.org at 198.51.100.7:4500"));
    EXPECT_THAT(b_.last_logged_, HasSubstr("it came without a CHILD SA"));
    pass(seconds(60));
    EXPECT_THAT(b_.ended_, SizeIs(1)) << "its client has not answered yet";
}

TEST_F(IpsecLostChildrenTest, AnIkeSaWhoseChildIsNotInTheKernelIsEnded) {
    establish();
    establish_whole(second_, 21);
    take_over();
    b_.kernel_.erase({kClient, kVip, 7});
    b_.kernel_.erase({kVip, kClient, 8});
    pass(kJudged);
    EXPECT_THAT(b_.ended_, ElementsAre(ElementsAre(first_.id.key)));
    EXPECT_THAT(b_.last_logged_, HasSubstr("of its 1 CHILD SAs none is in this node's kernel"));
}

TEST_F(IpsecLostChildrenTest, AnIdleClientThatHasDeletedItsChildIsLeftAlone) {
    establish_whole(first_, 21);
    emit(build_child_delete(first_.id, 21));
    settle();
    for (Site* const site : {&a_, &b_}) {
        site->kernel_.erase({kClient, kVip, 21});
        site->kernel_.erase({kVip, kClient, 22});
    }
    take_over();
    pass(seconds(60));
    EXPECT_THAT(b_.ended_, IsEmpty());
    // It makes another one at B, whose kernel loses it.
    b_.notify(node::CharonEmitted{first_.child(9, 10)}, now_);
    settle();
    take_over(a_, b_, 3);
    a_.kernel_.erase({kClient, kVip, 9});
    a_.kernel_.erase({kVip, kClient, 10});
    pass(kJudged);
    EXPECT_THAT(a_.ended_, ElementsAre(ElementsAre(first_.id.key)));
}

TEST_F(IpsecLostChildrenTest, AnIkeSaWithAChildContinues) {
    establish();
    emit(first_.child(21, 22));
    a_.add_child(21, 22);
    settle();
    take_over();
    // One is enough, and one direction of it: charon may be at work on the other.
    b_.kernel_.erase({kClient, kVip, 7});
    b_.kernel_.erase({kVip, kClient, 8});
    b_.kernel_.erase({kClient, kVip, 21});
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, IsEmpty());
    EXPECT_EQ(count(), 0U);
}

TEST_F(IpsecLostChildrenTest, AnOperatorEndsAnIkeSaWhereItsCharonIsActive) {
    establish();
    const wire::RecordKey record = a_.keeper_.sessions({}).at(0).record;
    EXPECT_TRUE(a_.keeper_.end(record, now_, a_.effects_));
    EXPECT_FALSE(b_.keeper_.end(record, now_, b_.effects_)) << "its charon keeps silent";
    settle();
    EXPECT_THAT(a_.ended_, ElementsAre(ElementsAre(first_.id.key)));
    EXPECT_THAT(b_.ended_, IsEmpty());
}

TEST_F(IpsecLostChildrenTest, AStandbyJudgesNothing) {
    establish_childless(first_);
    pass(seconds(60));
    EXPECT_THAT(a_.ended_, IsEmpty()) << "it has not taken anything over";
    EXPECT_THAT(b_.ended_, IsEmpty());
    take_over();
    pass(seconds(4));
    take_over(a_, b_, 3);
    pass(seconds(60));
    EXPECT_THAT(b_.ended_, IsEmpty());
    EXPECT_THAT(a_.ended_, SizeIs(1));
}

TEST_F(IpsecLostChildrenTest, TheNextTakeoverJudgesAgain) {
    establish_childless(first_);
    take_over();
    pass(kJudged);
    ASSERT_THAT(b_.ended_, SizeIs(1));
    take_over(a_, b_, 3);
    pass(kJudged);
    EXPECT_THAT(a_.ended_, SizeIs(1)) << "its client has not heard of it";
    take_over(b_, a_, 4);
    pass(kJudged);
    EXPECT_THAT(b_.ended_, SizeIs(2));
}

TEST_F(IpsecLostChildrenTest, AClientThatMakesItsChildInTimeIsLeftAlone) {
    establish_childless(first_);
    take_over();
    pass(kTooEarly);
    b_.notify(node::CharonEmitted{first_.child(9, 10)}, now_);
    settle();
    // The listing may have begun before charon made it.
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, IsEmpty());
}

TEST_F(IpsecLostChildrenTest, WhatComesAfterTheTakeoverIsNotJudged) {
    establish_childless(first_);
    take_over();
    for (const Bytes& message :
         {second_.add(), build_mid(ipsec::HaType::ike_mid_responder, second_.id, 2),
          second_.update()}) {
        b_.notify(node::CharonEmitted{message}, now_);
    }
    settle();
    pass(seconds(60));
    ASSERT_NE(b_.replica_.store().find(ike(second_)), nullptr);
    EXPECT_THAT(b_.ended_, ElementsAre(ElementsAre(first_.id.key))) << "the other came by itself";
}

TEST_F(IpsecLostChildrenTest, AnIkeSaThatIsBeingReplacedIsItsHeirsBusiness) {
    establish();
    emit(second_.add({first_.id.key}));
    emit(second_.update());
    settle();
    take_over();
    ASSERT_NE(b_.replica_.store().find(ike(first_)), nullptr);
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, IsEmpty());
}

TEST_F(IpsecLostChildrenTest, WithAnOpenRequestItWaitsUntilTheClientContinues) {
    establish_childless(first_);
    emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 3));
    settle();
    take_over();
    pass(seconds(60));
    EXPECT_THAT(b_.ended_, IsEmpty());
    ask(3);
    pass(seconds(1));
    EXPECT_THAT(b_.ended_, ElementsAre(ElementsAre(first_.id.key)));
}

TEST_F(IpsecLostChildrenTest, ARequestThatIsRepeatedIsAnsweredFirst) {
    establish_childless(first_);
    emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 3));
    settle();
    take_over();
    pass(seconds(8));
    ask(2);
    ASSERT_EQ(b_.keeper_.counts().at("ike_requests_repeated"), 1U);
    pass(seconds(9));
    EXPECT_THAT(b_.ended_, IsEmpty());
    pass(seconds(2));
    EXPECT_THAT(b_.ended_, SizeIs(1));
}

TEST_F(IpsecLostChildrenTest, InIkev1AnySaOfTheSamePeerMayHaveTheChild) {
    const IkeSample older{test::ike_id(1, 3)};
    const IkeSample newer{test::ike_id(1, 4)};
    establish_childless(older);
    establish_whole(newer, 21);
    ASSERT_FALSE(
        ipsec::parse_ike_sa(ike(older).id.view(), a_.replica_.store().find(ike(older))->payload)
            ->heir);
    take_over();
    pass(kJudged);
    EXPECT_THAT(b_.ended_, IsEmpty());
    take_over(a_, b_, 3);
    a_.kernel_.clear();
    pass(kJudged);
    EXPECT_THAT(a_.ended_, ElementsAre(UnorderedElementsAre(older.id.key, newer.id.key)));
}

TEST_F(IpsecLostChildrenTest, AnEspSaOfItsPeerThatNobodyKnowsMayBeItsOwn) {
    establish_childless(first_);
    take_over();
    b_.kernel_[{kClient, kVip, 99}] = {{kClient, kVip, 99}, 0, 32, false, 0, 0, {0}};
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, IsEmpty());
}

TEST_F(IpsecLostChildrenTest, ACharonThatStartsAnewIsGivenTheSameTime) {
    establish_childless(first_);
    take_over();
    pass(seconds(4));
    b_.notify(node::CharonGone{}, now_);
    settle();
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, IsEmpty()) << "nobody could tell the client";
    b_.notify(node::CharonFresh{}, now_);
    settle();
    pass(kTooEarly);
    EXPECT_THAT(b_.ended_, IsEmpty());
    pass(seconds(1));
    EXPECT_THAT(b_.ended_, SizeIs(1));
}

TEST_F(IpsecLostChildrenTest, ALeaseThatLapsesIsNoTakeover) {
    establish_childless(first_);
    take_over();
    const auto lapse = [this] {
        b_.keeper_.pause(b_.effects_);
        settle();
        pass(seconds(2));
        b_.keeper_.unpause(now_, b_.effects_);
        settle();
    };
    pass(seconds(4));
    lapse();
    pass(kTooEarly);
    EXPECT_THAT(b_.ended_, IsEmpty());
    pass(seconds(1));
    EXPECT_THAT(b_.ended_, SizeIs(1));
    lapse();
    pass(seconds(10));
    EXPECT_THAT(b_.ended_, SizeIs(1));
}

}  // namespace ipsec_lost_children_test
}  // namespace vpnha::keepers
