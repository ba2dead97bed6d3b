// SPDX-License-Identifier: GPL-2.0-or-later
// What a keeper of IPsec SAs brings into its charon and kernel, and when it has them speak.
#include <fmt/format.h>

#include "protocols/ipsec/work.hpp"
#include "unit/protocols/ipsec/keeper/ipsec_pair.hpp"

namespace vpnha::keepers {
namespace ipsec_sas_test {

using namespace ipsec_pair;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A second and a millisecond, and one.
constexpr std::uint64_t kBeyondASecond = limits::kEspPerSecond / 1000 * 1001 + 1;

class IpsecSasTest : public Pair {};

TEST_F(IpsecSasTest, TheStandbysCharonIsFedAndItsKernelIsAhead) {
    EXPECT_THAT(a_.turns_, ElementsAre(true));
    establish();
    EXPECT_THAT(b_.fed_, ElementsAre(first_.add(), first_.update(),
                                     build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2),
                                     first_.child(7, 8)));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead);
    EXPECT_EQ(b_.in(7).seq, 0U) << "a lead would drop what the client sends";
    EXPECT_TRUE(a_.replica_.is_protected(ike(first_)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
    EXPECT_THAT(a_.fed_, IsEmpty());
    EXPECT_THAT(b_.turns_, IsEmpty());
}

TEST_F(IpsecSasTest, AChildIsConfirmedWhenItIsInTheKernel) {
    b_.installs_ = false;
    establish();
    EXPECT_TRUE(a_.replica_.is_protected(ike(first_)));
    EXPECT_FALSE(a_.replica_.is_protected(child(7))) << "charon's word is not enough";
    b_.add_child(7, 8);
    pass(seconds(1));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, AChildThatDoesNotComeIsRebuilt) {
    b_.installs_ = false;
    establish();
    b_.fed_.clear();
    pass(limits::kChildSaWait);
    EXPECT_EQ(b_.replica_.counters().refused, 1U);
    b_.installs_ = true;
    pass(seconds(2));
    EXPECT_THAT(b_.fed_, testing::Contains(ipsec::build_ike_delete(first_.id)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, ATakeoverNeedsNothingMore) {
    establish();
    b_.fed_.clear();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, ElementsAre(true)) << "in the same turn";
    EXPECT_THAT(b_.fed_, IsEmpty());
    a_.keeper_.mute(a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false));
    settle();
    pass(seconds(1));
    b_.notify(node::CharonEmitted{first_.child(9, 10)}, now_);
    b_.notify(node::CharonEmitted{ipsec::build_child_delete(first_.id, 7)}, now_);
    b_.add_child(9, 10);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(ipsec::build_child_delete(first_.id, 7), first_.child(9, 10)))
        << "it has the rest from when it served";
    EXPECT_TRUE(b_.replica_.is_protected(child(9)));
    EXPECT_EQ(b_.replica_.store().find(child(7)), nullptr);
}

TEST_F(IpsecSasTest, LinesOfAnIkeSaHaveItsSessionAndCharonsNamesOfIt) {
    const auto spis = [](const IkeSample& sample) {
        return fmt::format("connection=road spis={:016x}_i,{:016x}_r peer=198.51.100.7:4500",
                           sample.id.key.spi_i, sample.id.key.spi_r);
    };
    establish();
    EXPECT_THAT(a_.texts_, Contains("IKE SA up event=ike-up gateway=fake session=" +
                                    session_id(ike(first_)) + " " + spis(first_)));
    emit(second_.add({first_.id.key}));
    emit(second_.update());
    emit(ipsec::build_ike_delete(first_.id));
    settle();
    EXPECT_EQ(a_.last_logged_,
              "IKE SA replaced event=ike-rekeyed gateway=fake session=" + session_id(ike(second_)) +
                  " replaces=" + session_id(ike(first_)) + " " + spis(second_));
    const std::size_t logged = a_.texts_.size();
    emit(build_mid(ipsec::HaType::ike_mid_responder, second_.id, 3));
    settle();
    EXPECT_EQ(a_.texts_.size(), logged) << "a line is for a begin or an end";
    emit(ipsec::build_ike_delete(second_.id));
    settle();
    pass(seconds(1));
    EXPECT_EQ(a_.last_logged_,
              "IKE SA down event=ike-down gateway=fake session=" + session_id(ike(second_)));
    EXPECT_THAT(b_.texts_, Each(testing::Not(testing::HasSubstr("event=ike-"))))
        << "the node that serves logs them";
}

// As to another site. charon's role is part of each message's name of the SA.
TEST_F(IpsecSasTest, AnSaThatTheGatewayHasBegunContinuesInItsRole) {
    using ipsec::HaType;
    const IkeSample site{{first_.id.key, true}};
    emit(site.add());
    emit(build_mid(HaType::ike_mid_initiator, site.id, 2));
    emit(site.update());
    emit(site.child(7, 8));
    a_.add_child(7, 8);
    settle();
    EXPECT_THAT(b_.fed_,
                ElementsAre(site.add(), site.update(),
                            build_mid(HaType::ike_mid_initiator, site.id, 2), site.child(7, 8)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
    promote(b_, 2);
    a_.keeper_.mute(a_.effects_);
    a_.run(now_);
    settle();
    b_.notify(node::CharonEmitted{build_mid(HaType::ike_mid_initiator, site.id, 3)}, now_);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(build_mid(HaType::ike_mid_initiator, site.id, 3)));
    b_.notify(node::CharonEmitted{ipsec::build_ike_delete(site.id)}, now_);
    settle();
    EXPECT_THAT(a_.fed_, Contains(ipsec::build_ike_delete(site.id)));
}

TEST_F(IpsecSasTest, WhatIsOnItsWayToCharonComesBeforeItsActivation) {
    b_.answers_ = false;
    establish();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, IsEmpty());
    b_.notify(node::CharonFed{b_.unanswered_, {}}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.turns_, ElementsAre(true));
    EXPECT_EQ(b_.out(8).oseq, kBeyondASecond);
}

TEST_F(IpsecSasTest, ItWaitsForALostChildForAMomentOnly) {
    b_.installs_ = false;
    establish();
    promote(b_, 2);
    EXPECT_THAT(b_.turns_, IsEmpty());
    pass(limits::kCharonTurnPause);
    EXPECT_THAT(b_.turns_, ElementsAre(true));
}

TEST_F(IpsecSasTest, WhatCharonMayHaveLostIsFedAgain) {
    b_.answers_ = false;
    establish();
    b_.answers_ = true;
    b_.fed_.clear();
    b_.notify(node::CharonFed{b_.unanswered_, fail(Errc::system, "2 drops")}, now_);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    pass(limits::kCharonFeedPause);
    ASSERT_THAT(b_.fed_, SizeIs(5));
    EXPECT_EQ(b_.fed_.front(), ipsec::build_ike_delete(first_.id));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, AStandbysNewCharonIsFedFromTheStart) {
    establish();
    const int flushes = b_.flushes_;
    b_.fed_.clear();
    b_.notify(node::CharonGone{}, now_);
    b_.run(now_);
    EXPECT_EQ(b_.flushes_, flushes + 1);
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::none);
    emit(first_.vip("10.1.0.7"));
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    b_.notify(node::CharonFresh{}, now_);
    settle();
    EXPECT_THAT(b_.fed_, ElementsAre(first_.add(), first_.update(), first_.vip("10.1.0.7"),
                                     build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2),
                                     first_.child(7, 8)));
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::installed);
}

// The charon of the standby is of strongSwan 5.9, and knows no second key exchange (RFC 9370).
TEST_F(IpsecSasTest, AnSaThatTheStandbysCharonDoesNotKnowIsLeftOutAndShown) {
    using ipsec::HaTag;
    const Bytes further = test::HaBuilder(ipsec::HaType::ike_add)
                              .id(first_.id)
                              .chunk(HaTag::nonce_i, Bytes{1, 2})
                              .chunk(HaTag::nonce_r, Bytes{3, 4})
                              .chunk(HaTag::secret, Bytes{7})
                              .bytes();
    emit(first_.add());
    emit(further);
    emit(first_.update());
    emit(first_.child(7, 8));
    a_.add_child(7, 8);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty()) << "with half of the exchanges its keys would be wrong";
    EXPECT_FALSE(a_.replica_.is_protected(ike(first_)));
    EXPECT_FALSE(a_.replica_.is_protected(child(7)));
    EXPECT_EQ(b_.keeper_.state().not_for_charon, 2U);
    EXPECT_EQ(b_.replica_.counters().refused, 2U);
    b_.notify(node::CharonFresh{4}, now_);
    settle();
    pass(seconds(1));
    EXPECT_THAT(b_.fed_, ElementsAre(first_.add(), further, first_.update(), first_.child(7, 8)));
    EXPECT_EQ(b_.keeper_.state().not_for_charon, 0U);
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
}

TEST_F(IpsecSasTest, OnlyACharonThatWasThereIsMissed) {
    Site site(3);
    site.notify(node::CharonGone{}, now_);
    site.run(now_);
    EXPECT_THAT(site.logged_, ::testing::Each(LogLevel::info)) << "vpnhad started before it";
    site.notify(node::CharonFresh{}, now_);
    site.run(now_);
    site.notify(node::CharonGone{}, now_);
    site.run(now_);
    EXPECT_EQ(site.logged_.back(), LogLevel::error);
}

TEST_F(IpsecSasTest, ACharonThatStartsWhereItServedIsFedBeforeItSpeaks) {
    establish();
    a_.out(8).oseq = 1000;
    pass(seconds(1));
    a_.notify(node::CharonGone{}, now_);
    a_.run(now_);
    EXPECT_THAT(a_.kernel_, SizeIs(2)) << "what needs no charon continues";
    a_.turns_.clear();
    now_ += milliseconds(10);
    a_.notify(node::CharonFresh{}, now_);
    a_.run(now_);
    EXPECT_THAT(a_.fed_, SizeIs(4));
    EXPECT_GT(a_.out(8).oseq, 1000 + limits::kEspPerSecond / 100);
    EXPECT_THAT(a_.turns_, ElementsAre(true));
}

TEST_F(IpsecSasTest, WithoutALeaseCharonIsPassive) {
    establish();
    a_.keeper_.pause(a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false));
    emit(first_.child(9, 10));
    settle();
    EXPECT_EQ(a_.replica_.store().find(child(9)), nullptr);
    a_.keeper_.unpause(now_, a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.turns_, ElementsAre(true, false, true));
    EXPECT_THAT(a_.fed_, IsEmpty());
    EXPECT_NE(a_.replica_.store().find(child(9)), nullptr) << "charon said it once";
}

TEST_F(IpsecSasTest, WhatADeadCharonReportedWithoutALeaseIsFedToTheNextOne) {
    establish();
    a_.keeper_.pause(a_.effects_);
    a_.run(now_);
    for (const Bytes& message : {second_.add(), second_.update(), second_.child(17, 18)}) {
        emit(message);
    }
    a_.add_child(17, 18);
    a_.out(18).oseq = 5000;
    pass(seconds(1));
    a_.notify(node::CharonGone{}, now_);
    a_.notify(node::CharonFresh{}, now_);
    settle();
    EXPECT_THAT(a_.fed_, Contains(first_.child(7, 8))) << "what has a record is fed meanwhile";
    EXPECT_THAT(a_.fed_, ::testing::Not(Contains(second_.add())));
    a_.turns_.clear();
    a_.answers_ = false;
    a_.lists_ = false;
    a_.keeper_.unpause(now_, a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.fed_, Contains(second_.child(17, 18)));
    EXPECT_THAT(a_.held_, Contains(18)) << "charon has just made it";
    pass(seconds(1));
    EXPECT_THAT(a_.turns_, IsEmpty()) << "it is fed before it speaks";
    a_.notify(node::CharonFed{a_.unanswered_, {}}, now_);
    settle();
    EXPECT_THAT(a_.turns_, IsEmpty()) << "as long as a new charon may take";
    a_.lists_ = true;
    pass(limits::kSaListingWait);
    EXPECT_GT(a_.out(18).oseq, 5000U) << "the dead one may have sent more";
    EXPECT_THAT(a_.held_, IsEmpty());
    EXPECT_THAT(a_.turns_, ElementsAre(true));
    EXPECT_THAT(a_.fed_, ::testing::Not(Contains(ipsec::build_ike_delete(first_.id))));
}

TEST_F(IpsecSasTest, WhatCharonReportedWithoutALeaseIsNoNewsAfterADemotion) {
    establish();
    a_.keeper_.pause(a_.effects_);
    emit(first_.child(9, 10));
    a_.keeper_.mute(a_.effects_);
    a_.keeper_.promote(now_, a_.effects_);
    a_.run(now_);
    EXPECT_EQ(a_.replica_.store().find(child(9)), nullptr);
    EXPECT_EQ(a_.keeper_.counts().at("charon_messages_ignored"), 1U);
}

TEST_F(IpsecSasTest, WhatCharonMadeAndNoRecordNamesIsDeletedWhereItIsPassive) {
    establish();
    a_.keeper_.pause(a_.effects_);
    a_.run(now_);
    for (const Bytes& message : {second_.add({first_.id.key}), second_.update()}) {
        emit(message);
    }
    demote(a_);
    EXPECT_THAT(a_.fed_, Contains(ipsec::build_ike_delete(second_.id)));
    EXPECT_THAT(a_.fed_, Contains(first_.add())) << "its children went to the new one";
    a_.fed_.clear();
    emit(second_.add());
    settle();
    EXPECT_THAT(a_.fed_, IsEmpty()) << "it is passive";
}

TEST_F(IpsecSasTest, WhatCharonReportsBetweenAClaimOfAnotherNodeAndItsTurnIsDeletedToo) {
    establish();
    a_.turns_at_once_ = false;
    a_.replica_.end_epoch(now_);
    emit(second_.add());
    a_.keeper_.mute(a_.effects_);
    emit(second_.update());
    settle();
    EXPECT_THAT(a_.fed_, IsEmpty()) << "it may report more";
    a_.notify(node::CharonTurned{false}, now_);
    settle();
    EXPECT_THAT(a_.fed_, Contains(ipsec::build_ike_delete(second_.id)));
    EXPECT_EQ(a_.keeper_.counts().at("charon_messages_ignored"), 2U);
}

// An SA that it is fed is half open for a moment. charon 6.0.1 would abort if it turned then, and
// what is half open is ended before that.
TEST_F(IpsecSasTest, ACharonThatHasNotConfirmedThatItIsPassiveIsFedNothing) {
    establish();
    promote(b_, 2);
    a_.turns_at_once_ = false;
    demote(a_);
    for (const Bytes& message : {second_.add(), second_.update()}) {
        b_.notify(node::CharonEmitted{message}, now_);
    }
    settle();
    ASSERT_NE(a_.replica_.store().find(ike(second_)), nullptr);
    EXPECT_THAT(a_.fed_, IsEmpty());
    a_.notify(node::CharonTurned{false}, now_);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(second_.add(), second_.update()));
}

TEST_F(IpsecSasTest, WhatIsMissingIsFedAfterItIsPassiveAndBeforeItSpeaks) {
    establish();
    promote(b_, 2);
    a_.turns_at_once_ = false;
    demote(a_);
    for (const Bytes& message : {second_.add(), second_.update()}) {
        b_.notify(node::CharonEmitted{message}, now_);
    }
    settle();
    a_.turns_.clear();
    promote(a_, 3);
    pass(2 * limits::kCharonTurnPause);
    EXPECT_THAT(a_.fed_, IsEmpty());
    EXPECT_THAT(a_.turns_, IsEmpty());
    a_.notify(node::CharonTurned{false}, now_);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(second_.add(), second_.update()));
    EXPECT_THAT(a_.turns_, ElementsAre(true));
}

// A client rekeys its CHILD SA as the lease lapses. Of the old one nothing is in the kernel then.
TEST_F(IpsecSasTest, WhatCharonReportedWithoutALeaseIsNotUndoneByAFeed) {
    establish();
    a_.keeper_.pause(a_.effects_);
    a_.run(now_);
    for (const Bytes& message : {first_.child(9, 10), ipsec::build_child_delete(first_.id, 7)}) {
        emit(message);
    }
    a_.add_child(9, 10);
    a_.kernel_.erase({kClient, kVip, 7});
    a_.kernel_.erase({kVip, kClient, 8});
    pass(limits::kSaAuditPause + limits::kCharonFeedPause);
    EXPECT_THAT(a_.fed_, IsEmpty());
    a_.keeper_.unpause(now_, a_.effects_);
    pass(seconds(1));
    EXPECT_NE(a_.replica_.store().find(child(9)), nullptr);
    EXPECT_EQ(a_.replica_.store().find(child(7)), nullptr);
    EXPECT_THAT(a_.fed_, IsEmpty());
    EXPECT_THAT(a_.turns_, ElementsAre(true, false, true));
}

TEST_F(IpsecSasTest, WhatAnotherNodeReportsBeforeCharonIsPassiveIsFedLater) {
    establish();
    promote(b_, 2);
    settle();
    for (const Bytes& message : {second_.add(), second_.update()}) {
        b_.notify(node::CharonEmitted{message}, now_);
    }
    settle();
    ASSERT_NE(a_.replica_.store().find(ike(second_)), nullptr);
    EXPECT_THAT(a_.fed_, IsEmpty());
    a_.keeper_.mute(a_.effects_);
    settle();
    EXPECT_THAT(a_.fed_, ElementsAre(second_.add(), second_.update()));
}

// The records of stock sessions, of any protocol, are not in its kernel as a standby has them.
TEST_F(IpsecSasTest, WhereThisNodeServesNothingElseIsInstalled) {
    establish();
    const int before = a_.asked_for_missing_;
    a_.keeper_.pause(a_.effects_);
    a_.installs_ = false;
    a_.notify(node::CharonFresh{}, now_);
    pass(limits::kChildSaWait + seconds(1));
    EXPECT_EQ(a_.keeper_.counts().at("child_sas_lost"), 1U);
    EXPECT_EQ(a_.asked_for_missing_, before);
}

TEST_F(IpsecSasTest, WhatSomebodyRemovesFromAStandbysKernelIsMadeAnew) {
    establish();
    b_.kernel_.clear();
    pass(limits::kSaAuditPause + seconds(2));
    EXPECT_THAT(b_.kernel_, SizeIs(2));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead);
    EXPECT_EQ(b_.keeper_.counts().at("child_sas_lost"), 1U);
    EXPECT_EQ(b_.replica_.hold(child(7)), replica::Hold::installed);
}

TEST_F(IpsecSasTest, AnAnswerToAnOlderListingDoesNotEndAFlush) {
    establish();
    b_.lists_ = false;
    pass(limits::kSaAuditPause);
    const auto [older, ticket] = b_.listing_;
    ASSERT_THAT(older, SizeIs(2));
    b_.flushes_work_ = false;
    b_.fed_.clear();
    b_.notify(node::CharonFresh{}, now_);
    b_.notify(node::SasListed{older, ticket}, now_);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty()) << "onto SAs that are still there";
    b_.notify(node::SasFlushed{b_.flushing_ - 1, {}}, now_);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    b_.notify(node::SasFlushed{b_.flushing_, {}}, now_);
    settle();
    EXPECT_THAT(b_.fed_, SizeIs(4));
}

TEST_F(IpsecSasTest, AFlushThatFailedIsRepeatedBeforeAnythingIsFed) {
    establish();
    b_.flushes_work_ = false;
    b_.fed_.clear();
    b_.notify(node::CharonFresh{}, now_);
    b_.run(now_);
    b_.notify(node::SasFlushed{b_.flushing_, fail(Errc::system, "busy")}, now_);
    const int flushes = b_.flushes_;
    b_.flushes_work_ = true;
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    pass(limits::kCharonFeedPause);
    EXPECT_EQ(b_.flushes_, flushes + 1);
    EXPECT_THAT(b_.fed_, SizeIs(4));
}

TEST_F(IpsecSasTest, APromotionWaitsForCharonsAnswer) {
    b_.turns_at_once_ = false;
    promote(b_, 2);
    EXPECT_FALSE(b_.keeper_.has_turned());
    b_.notify(node::CharonTurned{true}, now_);
    EXPECT_TRUE(b_.keeper_.has_turned());
    b_.keeper_.mute(b_.effects_);
    EXPECT_FALSE(b_.keeper_.has_turned());
    b_.notify(node::CharonGone{}, now_);
    EXPECT_TRUE(b_.keeper_.has_turned()) << "it is not waited for";
}

TEST_F(IpsecSasTest, AClientThatMovesIsThereOnTheStandbyToo) {
    establish();
    pass(limits::kSaListingPause);
    b_.fed_.clear();
    const IpAddress moved = parse_ip("203.0.113.9").value_or(IpAddress{});
    a_.kernel_.clear();
    a_.kernel_[{moved, kVip, 7}] = {{moved, kVip, 7}, 0, 32, false, 0, 5, {0}};
    a_.kernel_[{kVip, moved, 8}] = {{kVip, moved, 8}, 0, 0, false, 5, 0, {}};
    emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 3));
    pass(milliseconds(100));
    EXPECT_EQ(a_.keeper_.sessions({}).at(0).peer, "203.0.113.9:4500");
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).peer, "203.0.113.9:4500");
    EXPECT_THAT(b_.fed_, testing::Contains(ipsec::build_ike_delete(first_.id)));
    EXPECT_TRUE(a_.replica_.is_protected(child(7)));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead) << "the new SA's, too";
    EXPECT_EQ(a_.keeper_.counts().at("peer_moves"), 1U);
    EXPECT_THAT(a_.fed_, IsEmpty());
    // The standby's own SAs are no news to the record.
    pass(limits::kSaAuditPause);
    EXPECT_EQ(b_.keeper_.counts().at("peer_moves"), 0U);
}

TEST_F(IpsecSasTest, SessionsAreTheIkeSas) {
    establish();
    emit(first_.vip("10.1.0.7"));
    settle();
    const auto views = b_.keeper_.sessions({});
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_EQ(views[0].protocol, "ikev2");
    EXPECT_EQ(views[0].user, "carol@example.org");
    EXPECT_EQ(views[0].peer, "198.51.100.7:4500");
    EXPECT_EQ(views[0].address, "10.1.0.7");
    EXPECT_EQ(views[0].established_unix_ms, kUnixMs);
    EXPECT_EQ(views[0].state, SessionState::hot);
    EXPECT_EQ(views[0].ids[0].second, 1U);
    EXPECT_EQ(a_.keeper_.sessions({})[0].state, SessionState::protected_);
    EXPECT_EQ(a_.keeper_.state().ike_sas, 1U);
}

TEST_F(IpsecSasTest, AClientHasAnAddressOfEachFamilyOnAllNodes) {
    establish();
    emit(first_.vips({"10.1.0.7", "2001:db8:200::7"}));
    settle();
    EXPECT_THAT(b_.fed_, Contains(first_.vips({"10.1.0.7", "2001:db8:200::7"})));
    for (const auto& views : {a_.keeper_.sessions({}), b_.keeper_.sessions({})}) {
        ASSERT_THAT(views, SizeIs(1));
        EXPECT_EQ(views[0].address, "10.1.0.7");
        EXPECT_THAT(views[0].networks, ElementsAre("2001:db8:200::7"));
    }
}

TEST_F(IpsecSasTest, AnAddressWhoseReportWasLostIsReservedBeforeCharonSpeaks) {
    emit(first_.add());
    emit(first_.update());
    emit(first_.child(7, 8, "10.7.0.3"));
    a_.add_child(7, 8);
    settle();
    b_.fed_.clear();
    promote(b_, 2);
    EXPECT_THAT(b_.fed_, ElementsAre(first_.vip("10.7.0.3")));
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).address, "10.7.0.3");
    pass(limits::kCharonTurnPause);
    EXPECT_THAT(b_.turns_, ElementsAre(true));
}

TEST_F(IpsecSasTest, EachNodeMapsThePortsOfTheRecordsByItsOwnMarks) {
    emit(first_.add());
    emit(first_.update());
    emit(first_.l2tp(7, 8));
    EXPECT_THAT(a_.mapped_, IsEmpty());
    a_.add_child(7, 8);
    a_.in(7).output_mark = 3;
    settle();
    b_.in(7).output_mark = 1;
    pass(limits::kSaListingPause);
    const ipsec::PortMapping mapping{kClient, limits::kPrivatePortFirst, 1701, 3, true};
    EXPECT_THAT(a_.mapped_, ElementsAre(mapping));
    b_.notify(node::CharonGone{}, now_);
    b_.run(now_);
    b_.notify(node::CharonFresh{}, now_);
    settle();
    b_.in(7).output_mark = 2;
    pass(limits::kSaAuditPause);
    ASSERT_THAT(b_.mapped_, SizeIs(1));
    EXPECT_EQ(b_.mapped_[0].port, mapping.port);
    EXPECT_EQ(b_.mapped_[0].mark, 2U);
    b_.keeper_.detach(b_.effects_);
    b_.run(now_);
    EXPECT_THAT(b_.mapped_, IsEmpty());
}

TEST_F(IpsecSasTest, ANewClientsPortIsMappedAsSoonAsItsSasAreThere) {
    emit(first_.add());
    emit(first_.update());
    pass(milliseconds(600));
    emit(first_.l2tp(7, 8));
    a_.run(now_);
    ASSERT_TRUE(a_.keeper_.next_deadline());
    EXPECT_LE(*a_.keeper_.next_deadline(), now_);
    a_.keeper_.on_time(now_, a_.effects_);
    a_.run(now_);
    EXPECT_LE(*a_.keeper_.next_deadline(), now_ + limits::kNewChildPause) << "not there yet";
    a_.add_child(7, 8);
    a_.in(7).output_mark = 3;
    now_ += limits::kNewChildPause;
    a_.keeper_.on_time(now_, a_.effects_);
    a_.run(now_);
    EXPECT_THAT(a_.mapped_, SizeIs(1));
}

TEST_F(IpsecSasTest, ARekeyedSaIsTheSameSession) {
    establish();
    a_.notify(node::CharonEmitted{second_.add({first_.id.key})}, now_);
    a_.notify(node::CharonEmitted{second_.update()}, now_);
    emit(ipsec::build_ike_delete(first_.id));
    pass(limits::kIkeRekeyPause);
    const auto views = b_.keeper_.sessions({});
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_EQ(views[0].established_unix_ms, kUnixMs);
    EXPECT_EQ(a_.keeper_.counts().at("ike_rekeys"), 1U);
    EXPECT_EQ(a_.keeper_.counts().at("child_rekeys"), 0U);
    emit(second_.child(9, 10));
    EXPECT_EQ(a_.keeper_.counts().at("child_rekeys"), 1U);
}

// The passive charon has destroyed the older one, so nobody would report its end.
TEST_F(IpsecSasTest, WhatWasReplacedEndsWithTheNodeThatServed) {
    const IkeSample older{test::ike_id(1, 5)};
    const IkeSample newer{test::ike_id(1, 6)};
    establish_whole(older, 21);
    establish_whole(newer, 23);
    ASSERT_THAT(b_.keeper_.sessions({}), SizeIs(2)) << "charon ends the older one 10 s later";
    promote(b_, 2);
    demote(a_);
    const auto views = b_.keeper_.sessions({});
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_EQ(views[0].record, ike(newer));
    b_.notify(node::CharonEmitted{ipsec::build_child_delete(newer.id, 21)}, now_);
    settle();
    EXPECT_EQ(b_.replica_.store().find(ike(older)), nullptr) << "its last child has ended";
    EXPECT_EQ(a_.replica_.store().find(ike(older)), nullptr);
}

TEST_F(IpsecSasTest, PeersOfIpv6AndWhatCarriesL2tpAreSeen) {
    IkeSample six{test::ike_id(1, 6)};
    six.address = "2001:db8::7";
    emit(six.add());
    emit(six.update());
    settle();
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).peer, "[2001:db8::7]:4500");
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).protocol, "ikev1");
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).address, "");
    emit(six.l2tp(9, 10));
    settle();
    EXPECT_EQ(b_.keeper_.sessions({}).at(0).protocol, "l2tp-ipsec");
}

// By the number alone a device makes the same initialisation vector on every node.
TEST_F(IpsecSasTest, AChildThatADeviceEncryptsIsNoOtherNodes) {
    establish();
    a_.out(8).is_offloaded = true;
    pass(seconds(1));
    EXPECT_EQ(a_.replica_.store().find(child(7)), nullptr);
    EXPECT_EQ(a_.replica_.store().find(
                  {wire::RecordType::esp_counters, wire::RecordId(ipsec::encode_spi(7))}),
              nullptr);
    EXPECT_EQ(b_.fed_.back(), ipsec::build_child_delete(first_.id, 7));
    ASSERT_THAT(a_.keeper_.sessions({}), SizeIs(1));
    EXPECT_EQ(a_.keeper_.sessions({}).front().state, SessionState::unprotected);
    EXPECT_THAT(a_.keeper_.sessions({}).front().reason, testing::HasSubstr("hw_offload = no"));
    EXPECT_THAT(a_.last_logged_, testing::HasSubstr("event=esp-offloaded"));

    a_.out(8).oseq = 1000;
    const std::size_t logged = a_.logged_.size();
    pass(seconds(2));
    EXPECT_EQ(a_.logged_.size(), logged) << "it is said once";
    EXPECT_EQ(a_.replica_.store().find(child(7)), nullptr);

    b_.kernel_.clear();
    promote(b_, 2);
    demote(a_);
    pass(seconds(6));
    EXPECT_THAT(b_.ended_, ElementsAre(ElementsAre(first_.id.key))) << "its client dials again";
    EXPECT_THAT(a_.fed_, testing::Contains(ipsec::build_child_delete(first_.id, 7)));
}

TEST_F(IpsecSasTest, AChildThatReplacesOneOfADeviceIsProtected) {
    establish();
    a_.out(8).is_offloaded = true;
    pass(seconds(1));
    emit(first_.child(21, 22));
    a_.add_child(21, 22);
    emit(ipsec::build_child_delete(first_.id, 7));
    a_.kernel_.erase({kClient, kVip, 7});
    a_.kernel_.erase({kVip, kClient, 8});
    pass(seconds(1));
    EXPECT_TRUE(a_.replica_.is_protected(child(21)));
    EXPECT_EQ(a_.keeper_.sessions({}).front().state, SessionState::protected_);
}

TEST_F(IpsecSasTest, NothingRemainsOfADetachedGateway) {
    establish();
    b_.fed_.clear();
    b_.keeper_.detach(b_.effects_);
    b_.run(now_);
    EXPECT_THAT(b_.fed_, ElementsAre(ipsec::build_ike_delete(first_.id)));
    EXPECT_THAT(b_.kernel_, IsEmpty());
    EXPECT_EQ(b_.keeper_.state().ike_sas, 0U);
}

TEST_F(IpsecSasTest, ARecordThatCannotBeReadIsSetAside) {
    ASSERT_TRUE(a_.replica_.publish(ike(second_), Bytes{9}));
    settle();
    EXPECT_EQ(b_.replica_.hold(ike(second_)), replica::Hold::unreadable);
}

}  // namespace ipsec_sas_test
}  // namespace vpnha::keepers
