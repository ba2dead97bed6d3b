// SPDX-License-Identifier: GPL-2.0-or-later
// From which ESP numbers a node continues.
#include <limits>
#include <string>

#include "protocols/ipsec/work.hpp"
#include "unit/protocols/ipsec/keeper/ipsec_pair.hpp"

namespace vpnha::keepers {
namespace ipsec_warm_test {

using namespace ipsec_pair;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class IpsecWarmTest : public Pair {
  protected:
    // Of one CHILD SA its kernel has nothing, so charon is about to be fed its whole family anew.
    void lose_a_child() {
        establish();
        emit(first_.child(9, 10));
        a_.add_child(9, 10);
        settle();
        b_.kernel_.erase({kVip, kClient, 10});
        const auto is_given_up = [this] {
            return b_.last_logged_.find("fed them again") != std::string::npos;
        };
        for (int i = 0; i < 1000 && !is_given_up(); ++i) {
            pass(milliseconds(50));
        }
        ASSERT_TRUE(is_given_up());
        b_.lists_ = false;
        b_.answers_ = false;
    }
};

TEST_F(IpsecWarmTest, NumbersFollowAndTheOutboundOnesSeldom) {
    establish();
    a_.out(8).oseq = 1000;
    a_.in(7).seq = 500;
    a_.in(7).bitmap = {0xff};
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead) << "half of the lead is not used up";
    EXPECT_EQ(b_.in(7).seq, 500U);
    EXPECT_EQ(a_.keeper_.sessions({}).at(0).passed, (Passed{"packets", 500, 1000}));
    EXPECT_THAT(b_.in(7).bitmap, ElementsAre(0xff));
    a_.out(8).oseq = limits::kEspLead / 2 + 1;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead / 2 + 1 + limits::kEspLead);
    a_.out(8).oseq = 5;
    a_.in(7).seq = 1;
    pass(seconds(1));
    EXPECT_EQ(b_.in(7).seq, 500U) << "numbers never go back";
    a_.out(8).oseq = 0xffff'fff0;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, 0xffff'ffffU) << "what is used up is not used again";
}

TEST_F(IpsecWarmTest, PacketsThatPassAreCountedWhereTheyPass) {
    establish();
    pass(seconds(1));
    const auto count = [this](const char* name) { return a_.keeper_.counts().at(name); };
    const std::uint64_t in = count("esp_packets_in");
    const std::uint64_t out = count("esp_packets_out");
    a_.in(7).seq += 7;
    a_.out(8).oseq += 10;
    pass(seconds(1));
    EXPECT_EQ(count("esp_packets_in"), in + 7);
    EXPECT_EQ(count("esp_packets_out"), out + 10);
    a_.in(7).seq = 0;
    a_.out(8).oseq = 0;
    pass(seconds(1));
    EXPECT_EQ(count("esp_packets_out"), out + 10) << "an SA that was made anew has other numbers";
    EXPECT_EQ(b_.keeper_.counts().at("esp_packets_out"), 0U) << "a standby sends nothing";
}

TEST_F(IpsecWarmTest, AnSpiThatIsUsedAgainIsCountedAnew) {
    establish();
    const auto make = [this](std::uint64_t sent) {
        emit(first_.child(21, 22));
        a_.add_child(21, 22);
        a_.out(22).oseq = sent;
        pass(seconds(1));
    };
    make(100);
    emit(ipsec::build_child_delete(first_.id, 21));
    a_.kernel_.erase({kClient, kVip, 21});
    a_.kernel_.erase({kVip, kClient, 22});
    pass(seconds(1));
    const std::uint64_t out = a_.keeper_.counts().at("esp_packets_out");
    make(150);
    EXPECT_EQ(a_.keeper_.counts().at("esp_packets_out"), out) << "these are another SA's packets";
}

TEST_F(IpsecWarmTest, NumbersOfAMomentAgoNeedNothingBeforeTheGateOpens) {
    establish();
    const int sets = b_.sets_;
    warm(b_, 2, seconds(1));
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_EQ(b_.sets_, sets) << "the lead covers it";
    EXPECT_EQ(b_.keeper_.counts().at("esp_jumps"), 1U);
}

TEST_F(IpsecWarmTest, NumbersContinueBeyondWhatTheMarginReports) {
    establish();
    a_.out(8).oseq = 700;
    pass(seconds(1));
    warm(b_, 2, seconds(5));
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_EQ(b_.out(8).oseq, 700 + 5 * limits::kEspPerSecond + limits::kEspPerSecond / 1000 + 1);
}

TEST_F(IpsecWarmTest, WhoReportedNothingOfItsEpochMayHaveBegunAtTheLead) {
    establish();
    a_.out(8).oseq = 700;
    pass(seconds(1));
    warm(b_, 3, milliseconds(100));
    EXPECT_GT(b_.out(8).oseq, 700 + limits::kEspLead + limits::kEspPerSecond / 10);
}

// Its promotion failed before the gate opened. Who follows its next one does not know of it.
TEST_F(IpsecWarmTest, ALeadThatAnEarlierGrantMadeIsNotUsed) {
    establish();
    pass(seconds(1));
    warm(b_, 2, seconds(10));
    ASSERT_GT(b_.out(8).oseq, 10 * limits::kEspPerSecond);
    b_.keeper_.mute(b_.effects_);
    pass(seconds(1));
    warm(b_, 3, milliseconds(100));
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_EQ(b_.out(8).oseq, limits::kEspLead + limits::kEspPerSecond / 1000 * 101 + 1);
    b_.out(8).oseq += limits::kEspPerSecond / 20;
    a_.keeper_.mute(a_.effects_);
    a_.run(now_);
    warm(a_, 4, milliseconds(2 * 100 + 50));
    EXPECT_GT(a_.out(8).oseq, b_.out(8).oseq) << "no reading of B's came";
}

TEST_F(IpsecWarmTest, WhatNobodyKnowsIsAWholeEpochsNumbers) {
    establish();
    a_.out(8).oseq = 700;
    pass(seconds(1));
    warm(b_, 3, std::nullopt);
    EXPECT_EQ(b_.out(8).oseq, 700 + 2 * 2 * limits::kEspPerEpoch + limits::kEspLead);
    a_.out(8).oseq = 0xffff'0000;
    pass(seconds(1));
    warm(b_, 3, std::nullopt);
    EXPECT_EQ(b_.out(8).oseq, 0xffff'ffffU) << "what is used up is not used again";
}

// Two nodes that jump from one record by as much as a peer follows would both end at one number.
TEST_F(IpsecWarmTest, AnSaOf64BitsThatNoPeerWouldFollowSendsNothingMore) {
    establish();
    for (Site* const site : {&a_, &b_}) {
        site->in(7).esn = true;
        site->out(8).esn = true;
    }
    a_.out(8).oseq = 700;
    pass(seconds(1));
    warm(b_, 8, std::nullopt);
    EXPECT_EQ(b_.out(8).oseq, 700 + 7 * 2 * limits::kEspPerEpoch + limits::kEspLead);
    warm(b_, 9, std::nullopt);
    EXPECT_EQ(b_.out(8).oseq, std::numeric_limits<std::uint64_t>::max());
}

// Its record is of epoch 2, and hardly ahead of that of epoch 1. A node that has not heard of epoch
// 2 may have served in epoch 3, from where its record of epoch 1 had it begin.
TEST_F(IpsecWarmTest, WhatNobodyKnowsIsBeyondEveryEpochSinceTheSaWasMade) {
    establish();
    a_.out(8).oseq = 700;
    pass(seconds(1));
    promote(b_, 2, Duration{});
    demote(a_);
    b_.out(8).oseq = 701;
    pass(seconds(1));
    warm(a_, 4, std::nullopt);
    EXPECT_EQ(a_.out(8).oseq, 3 * 2 * limits::kEspPerEpoch + limits::kEspLead)
        << "not 701 and two epochs'";
}

TEST_F(IpsecWarmTest, ExactNumbersContinueWithoutAJump) {
    establish();
    a_.out(8).oseq = 700;
    a_.in(7).seq = 50;
    pass(seconds(1));
    warm(b_, 2, Duration{});
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_EQ(b_.out(8).oseq, 700U) << "not the lead, of which nothing was used";
    EXPECT_EQ(b_.in(7).seq, 50U);
    EXPECT_EQ(b_.keeper_.counts().at("esp_jumps"), 0U);
}

TEST_F(IpsecWarmTest, RecordsThatComeAfterTheGrantMoveNothing) {
    establish();
    warm(b_, 2, Duration{});
    a_.out(8).oseq = 9000;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, 0U);
}

// A node that stands in without a ring has no record of the last SAs of the node before.
TEST_F(IpsecWarmTest, AnSaWhoseRecordComesWhileItsNodeServesBeginsBeyondWhatTheOtherUsed) {
    warm(b_, 2, seconds(5));
    b_.answers_ = false;
    establish();
    EXPECT_EQ(b_.out(8).oseq, 0U) << "charon has just made it";
    EXPECT_THAT(b_.held_, ElementsAre(8));
    b_.notify(node::CharonFed{b_.unanswered_, {}}, now_);
    b_.run(now_);
    EXPECT_EQ(b_.out(8).oseq, 5 * limits::kEspPerSecond + limits::kEspPerSecond / 1000 + 1);
    EXPECT_THAT(b_.held_, IsEmpty());
}

// What it has sent since it was read last is in no record.
TEST_F(IpsecWarmTest, AnSaOfItsOwnEpochThatIsFedAnewContinuesBeyondWhatItSent) {
    establish();
    promote(b_, 2, Duration{});
    demote(a_);
    for (const Bytes& message : {first_.child(17, 18), first_.child(19, 20)}) {
        b_.notify(node::CharonEmitted{message}, now_);
    }
    b_.add_child(17, 18);
    b_.add_child(19, 20);
    b_.out(18).oseq = 5000;
    pass(seconds(1));
    b_.keeper_.pause(b_.effects_);
    b_.run(now_);
    b_.kernel_.erase({kVip, kClient, 20});
    const auto is_given_up = [this] {
        return b_.last_logged_.find("fed them again") != std::string::npos;
    };
    for (int i = 0; i < 100 && !is_given_up(); ++i) {
        pass(milliseconds(50));
    }
    ASSERT_TRUE(is_given_up());
    b_.out(18).oseq = 50'000;  // Not listed yet.
    b_.lists_ = false;
    b_.fed_.clear();
    pass(limits::kCharonFeedPause);
    ASSERT_FALSE(b_.fed_.empty()) << "made anew";
    b_.lists_ = true;
    pass(limits::kSaListingWait);
    EXPECT_GT(b_.out(18).oseq, 50'000U);
}

TEST_F(IpsecWarmTest, ItIsWarmWhenTheKernelHasAnswered) {
    establish();
    b_.keeper_.mute(b_.effects_);  // What its kernel has is not known.
    b_.lists_ = false;
    b_.run(now_);
    warm(b_, 2, seconds(9));
    EXPECT_FALSE(b_.keeper_.is_warm());
    b_.notify(node::SasListed{b_.listing_.first, b_.listing_.second}, now_);
    b_.run(now_);
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_GT(b_.out(8).oseq, 9 * limits::kEspPerSecond);
}

TEST_F(IpsecWarmTest, WhatIsBeingSetIsWaitedFor) {
    establish();
    b_.sets_at_once_ = false;
    a_.out(8).oseq = limits::kEspLead;
    pass(seconds(1));
    ASSERT_NE(b_.setting_, 0U);
    warm(b_, 2, milliseconds(100));
    EXPECT_FALSE(b_.keeper_.is_warm());
    b_.notify(node::CountersSet{b_.setting_, {}}, now_);
    EXPECT_TRUE(b_.keeper_.is_warm());
}

TEST_F(IpsecWarmTest, AnSaThatIsGoneDoesNotHoldUpTheOthers) {
    establish();
    emit(second_.add());
    emit(second_.update());
    emit(second_.child(17, 18));
    a_.add_child(17, 18);
    settle();
    b_.kernel_.erase({kVip, kClient, 8});
    warm(b_, 2, seconds(9));
    EXPECT_TRUE(b_.keeper_.is_warm());
    EXPECT_GT(b_.out(18).oseq, 9 * limits::kEspPerSecond);
}

TEST_F(IpsecWarmTest, AReadingIsAsOldAsItsQuestion) {
    establish();
    pass(milliseconds(700));
    a_.lists_ = false;
    a_.out(8).oseq = 41;
    const TimePoint asked = now_;
    a_.keeper_.read(now_, a_.effects_);
    a_.run(now_);
    now_ += milliseconds(20);
    EXPECT_LT(a_.keeper_.read_at(), asked);
    a_.notify(node::SasListed{a_.listing_.first, a_.listing_.second}, now_);
    EXPECT_EQ(a_.keeper_.read_at(), asked);
    a_.replica_.hurry_counters();  // As the gateway does: a successor waits for them.
    settle();
    warm(b_, 2, Duration{});
    EXPECT_EQ(b_.out(8).oseq, 41U);
}

TEST_F(IpsecWarmTest, NumbersAreReadWithoutACharonToo) {
    establish();
    a_.notify(node::CharonGone{}, now_);
    a_.run(now_);
    a_.out(8).oseq = 3 * limits::kEspLead;
    pass(seconds(1));
    EXPECT_EQ(b_.out(8).oseq, 4 * limits::kEspLead);
    EXPECT_GE(a_.keeper_.read_at(), now_ - limits::kSaListingPause);
}

TEST_F(IpsecWarmTest, AnSaMadeAnewWhereItServedIsBeyondWhatItUsed) {
    establish();
    a_.out(8).oseq = 1000;
    pass(seconds(1));
    a_.out(8).oseq = 5000;  // Not listed yet.
    now_ += milliseconds(10);
    a_.notify(node::CharonGone{}, now_);
    a_.notify(node::CharonFresh{}, now_);
    a_.run(now_);
    const std::uint64_t anew = a_.out(8).oseq;
    EXPECT_GT(anew, 5000U);
    EXPECT_LE(anew, 1000 + limits::kEspPerSecond) << "what can be sent between two listings";
    pass(seconds(2));
    EXPECT_EQ(a_.out(8).oseq, anew) << "once";
    EXPECT_THAT(a_.held_, IsEmpty());
}

// Its gate may be open for seconds before its numbers are read: where it stands in, or a step
// lasts.
TEST_F(IpsecWarmTest, AnSaMadeAnewBeforeItWasReadIsBeyondTheLeadThatItBeganWith) {
    establish();
    pass(seconds(1));
    warm(b_, 2, milliseconds(100));
    ASSERT_EQ(b_.out(8).oseq, limits::kEspLead) << "beyond its floor";
    b_.out(8).oseq += 500;
    now_ += milliseconds(1);
    b_.flushes_work_ = false;
    b_.notify(node::CharonGone{}, now_);
    b_.notify(node::CharonFresh{}, now_);
    b_.run(now_);
    now_ += seconds(2);
    b_.notify(node::SasFlushed{b_.flushing_, {}}, now_);
    b_.run(now_);
    EXPECT_GT(b_.out(8).oseq, limits::kEspLead + 2 * limits::kEspPerSecond);
    EXPECT_LT(b_.out(8).oseq, limits::kEspLead + 3 * limits::kEspPerSecond);
}

TEST_F(IpsecWarmTest, WhatAnSaSendsUntilItIsFlushedCounts) {
    establish();
    a_.flushes_work_ = false;
    a_.notify(node::CharonGone{}, now_);
    a_.notify(node::CharonFresh{}, now_);
    a_.run(now_);
    now_ += seconds(2);
    a_.notify(node::SasFlushed{a_.flushing_, {}}, now_);
    a_.run(now_);
    EXPECT_GT(a_.out(8).oseq, 2 * limits::kEspPerSecond);
}

TEST_F(IpsecWarmTest, WhatIsLeftOutIsKnownToOthersBeforeTheSaIsThere) {
    establish();
    a_.out(8).oseq = 700;
    pass(seconds(1));
    b_.installs_ = false;
    b_.notify(node::CharonGone{}, now_);
    b_.notify(node::CharonFresh{}, now_);
    b_.run(now_);
    ASSERT_FALSE(b_.kernel_.contains({kVip, kClient, 8}));
    demote(a_);
    promote(b_, 2, seconds(5));
    pass(seconds(1));
    demote(b_);
    warm(a_, 3, Duration{});
    EXPECT_GT(a_.out(8).oseq, 700 + 5 * limits::kEspPerSecond);
}

TEST_F(IpsecWarmTest, WhatIsNotThereWhenTheGateOpensIsHeldUntilItIsRight) {
    establish();
    b_.installs_ = false;
    b_.notify(node::CharonGone{}, now_);
    b_.notify(node::CharonFresh{}, now_);
    b_.run(now_);
    demote(a_);
    promote(b_, 2);
    EXPECT_THAT(b_.held_, ElementsAre(8));
    pass(seconds(1));
    EXPECT_TRUE(b_.turns_.back()) << "charon speaks meanwhile";
    b_.add_child(7, 8);
    b_.sets_at_once_ = false;
    pass(seconds(1));
    EXPECT_GT(b_.out(8).oseq, 0U);
    EXPECT_THAT(b_.held_, ElementsAre(8)) << "the kernel has not answered";
    b_.notify(node::CountersSet{b_.setting_, {}}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.held_, IsEmpty());
}

TEST_F(IpsecWarmTest, WhatWasListedBeforeAnSaIsMadeAnewReportsNothingOfIt) {
    lose_a_child();
    promote(b_, 2);
    ASSERT_EQ(b_.out(8).oseq, 0U) << "made anew";
    EXPECT_THAT(b_.held_, UnorderedElementsAre(8, 10));
    b_.notify(node::SasListed{b_.listing_.first, b_.listing_.second}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.held_, UnorderedElementsAre(8, 10)) << "it was listed before";
    b_.lists_ = true;
    b_.notify(node::CharonFed{b_.unanswered_, {}}, now_);
    b_.run(now_);
    EXPECT_GT(b_.out(8).oseq, 0U);
    EXPECT_THAT(b_.held_, IsEmpty());
}

TEST_F(IpsecWarmTest, WhatEndsWhileItIsMadeAnewIsHeldForAsLongAsItIsThere) {
    lose_a_child();
    warm(b_, 2, seconds(1));
    for (int i = 0; i < 100 && b_.out(8).oseq != 0; ++i) {
        pass(milliseconds(50));
    }
    ASSERT_EQ(b_.out(8).oseq, 0U) << "made anew";
    emit(ipsec::build_child_delete(first_.id, 7));
    settle();
    EXPECT_THAT(b_.held_, UnorderedElementsAre(8, 10)) << "its kernel would send from 1";
    b_.lists_ = true;
    b_.answers_ = true;
    b_.notify(node::CharonFed{b_.unanswered_, {}}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.held_, ElementsAre(8));
    promote(b_, 2);
    pass(seconds(1));
    EXPECT_THAT(b_.held_, ElementsAre(8));
    b_.kernel_.erase({kVip, kClient, 8});
    pass(seconds(1));
    EXPECT_THAT(b_.held_, IsEmpty());
}

TEST_F(IpsecWarmTest, ANodeWhoseGateCannotHoldIsNotWarm) {
    establish();
    b_.notify(node::CharonGone{}, now_);
    b_.run(now_);
    b_.holds_ = false;
    warm(b_, 2, Duration{});
    EXPECT_FALSE(b_.keeper_.is_warm());
    EXPECT_THAT(b_.held_, IsEmpty());
    b_.holds_ = true;
    warm(b_, 3, Duration{});
    EXPECT_TRUE(b_.keeper_.is_warm());
    b_.keeper_.mute(b_.effects_);
    b_.run(now_);
    EXPECT_THAT(b_.held_, IsEmpty()) << "the gate is shut";
}

TEST_F(IpsecWarmTest, ACharonThatCannotBeHeldIsFedNothingBehindTheOpenGate) {
    establish();
    a_.holds_ = false;
    a_.fed_.clear();
    a_.notify(node::CharonGone{}, now_);
    a_.notify(node::CharonFresh{}, now_);
    pass(seconds(1));
    EXPECT_THAT(a_.fed_, IsEmpty());
    a_.holds_ = true;
    pass(seconds(2));
    EXPECT_THAT(a_.fed_, SizeIs(::testing::Gt(1U)));
    EXPECT_GT(a_.out(8).oseq, 0U);
    EXPECT_THAT(a_.held_, IsEmpty());
}

TEST_F(IpsecWarmTest, AStandbyWithoutACharonHoldsNothingUp) {
    establish();
    b_.notify(node::CharonGone{}, now_);
    b_.run(now_);
    wire::Hello hello;
    hello.gateways.push_back({.gateway = GatewayId{1},
                              .level = wire::Level::complete,
                              .standing = wire::Level::complete,
                              .epoch = epoch_of(a_, 1)});
    a_.take(a_.replica_.on_message(NodeId{2}, hello, now_), now_);
    const std::optional<std::uint64_t> before = a_.replica_.confirmed_by_standbys();
    ASSERT_TRUE(before);
    emit(first_.child(9, 10));
    pass(seconds(1));
    EXPECT_GT(a_.replica_.confirmed_by_standbys(), before);
    EXPECT_FALSE(a_.replica_.is_protected(child(9)));
    EXPECT_EQ(b_.replica_.hold(child(9)), replica::Hold::none);
}

TEST_F(IpsecWarmTest, ADemotedNodesNumbersAreAStandbysAtOnce) {
    establish();
    promote(b_, 2);
    demote(a_);
    pass(seconds(1));
    EXPECT_GE(a_.out(8).oseq, b_.out(8).oseq + limits::kEspLead / 2);
}

}  // namespace ipsec_warm_test
}  // namespace vpnha::keepers
