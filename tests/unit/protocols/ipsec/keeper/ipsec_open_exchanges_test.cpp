// SPDX-License-Identifier: GPL-2.0-or-later
// The promoted node dies within an exchange of a client: what its successor does about it.
#include "protocols/ipsec/work.hpp"
#include "unit/protocols/ipsec/keeper/ipsec_pair.hpp"

namespace vpnha::keepers {
namespace ipsec_open_exchanges_test {

using namespace ipsec_pair;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IpsecOpenExchangesTest : public Pair {
  protected:
    IpsecOpenExchangesTest() {
        establish();
        pass(OpenExchanges::kAge + seconds(1));
    }
    // A has taken up the client's request, and made what it asks for.
    void take_up(std::uint32_t mid, std::uint32_t child = 0) {
        emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, mid + 1));
        settle();
        if (child != 0) {
            emit(first_.child(child, child + 1));
            a_.add_child(child, child + 1);
        }
        settle();
    }
    void take_over(Duration later = seconds(1)) {
        pass(later);
        b_.fed_.clear();
        promote(b_, 2);
        a_.keeper_.mute(a_.effects_);
        settle();
    }
    void ask(std::uint32_t mid, bool makes_child = false) {
        b_.notify(node::IkeSeen{{.key = first_.id.key, .mid = mid, .makes_child = makes_child}},
                  now_);
        settle();
    }
    static Bytes expects(std::uint32_t mid) {
        return build_mid(ipsec::HaType::ike_mid_responder, IkeSample{test::ike_id(2, 1)}.id, mid);
    }
    [[nodiscard]] std::uint64_t repeated() const {
        return b_.keeper_.counts().at("ike_requests_repeated");
    }
};

TEST_F(IpsecOpenExchangesTest, ARequestThatWasNotAnsweredIsExpectedAgain) {
    take_up(2);
    take_over();
    ask(2);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(2)));
    EXPECT_EQ(repeated(), 1U);
    EXPECT_THAT(a_.fed_, ElementsAre(expects(2))) << "the next node knows it, too";
}

TEST_F(IpsecOpenExchangesTest, AnyOtherNumberReportsNothingOfTheLastRequest) {
    take_up(2);
    take_over();
    ask(1);
    ask(9);
    EXPECT_THAT(b_.fed_, IsEmpty());
    ask(2);
    EXPECT_EQ(repeated(), 1U);
}

TEST_F(IpsecOpenExchangesTest, TheChildThatItMadeIsTakenBack) {
    take_up(2, 21);
    ASSERT_NE(b_.replica_.store().find(child(21)), nullptr);
    take_over();
    ask(2, true);
    EXPECT_THAT(b_.fed_, ElementsAre(ipsec::build_child_delete(first_.id, 21), expects(2)));
    EXPECT_EQ(b_.replica_.store().find(child(21)), nullptr);
    EXPECT_NE(b_.replica_.store().find(child(7)), nullptr);
}

TEST_F(IpsecOpenExchangesTest, AChildOfTheRequestBeforeStays) {
    take_up(2, 21);
    take_up(3);
    take_over();
    ask(3);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(3)));
    EXPECT_NE(b_.replica_.store().find(child(21)), nullptr);
}

TEST_F(IpsecOpenExchangesTest, AnInformationalRequestTakesNoChildBack) {
    // The node has said both in one, and which came first is not known.
    emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 3));
    emit(first_.child(21, 22));
    emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 4));
    a_.add_child(21, 22);
    settle();
    take_over();
    ask(3);
    EXPECT_NE(b_.replica_.store().find(child(21)), nullptr);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(3)));
}

TEST_F(IpsecOpenExchangesTest, WhoContinuesWasAnswered) {
    take_up(2, 21);
    take_over();
    ask(3);
    ask(2, true);
    EXPECT_THAT(b_.fed_, IsEmpty()) << "a copy of an old request";
    EXPECT_NE(b_.replica_.store().find(child(21)), nullptr);
}

TEST_F(IpsecOpenExchangesTest, WhatThisCharonHasTakenUpIsNotTakenBack) {
    take_up(2);
    take_over();
    // charon's word is read before the request that it is about.
    b_.notify(node::CharonEmitted{expects(4)}, now_);
    settle();
    ask(3);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, WhatIsLongAgoWasAnswered) {
    take_up(2);
    take_over(OpenExchanges::kAge + seconds(1));
    ask(2);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, WhoRepeatsNothingHasGivenUp) {
    take_up(2);
    take_over();
    pass(OpenExchanges::kWait);
    ask(2);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, APassiveCharonIsFedBeforeItSpeaks) {
    take_up(2, 21);
    pass(seconds(1));
    b_.fed_.clear();
    b_.notify(node::CharonGone{}, now_);
    promote(b_, 2);
    ASSERT_THAT(b_.turns_, IsEmpty());
    ask(2, true);
    EXPECT_THAT(b_.fed_, IsEmpty());
    b_.notify(node::CharonFresh{}, now_);
    settle();
    EXPECT_THAT(b_.fed_, Contains(expects(2)));
    EXPECT_THAT(b_.fed_, testing::Not(Contains(first_.child(21, 22))));
}

// Whoever has seen the last request can write its header.
TEST_F(IpsecOpenExchangesTest, AForgedRepetitionDoesNotKeepTheClientFromContinuing) {
    take_up(2);
    take_over();
    ask(2);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(2)));
    ask(3);
    EXPECT_THAT(b_.fed_, SizeIs(1)) << "charon may have taken up both";
    pass(seconds(4));
    ask(3);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(2), expects(3)));
    EXPECT_EQ(b_.logged_.back(), LogLevel::warning);
    EXPECT_THAT(a_.fed_, Contains(expects(3))) << "the next node knows it, too";
}

TEST_F(IpsecOpenExchangesTest, AForgerHasToContinueForgingAndSoDoesTheClient) {
    take_up(2);
    take_over();
    for (int i = 0; i < 3; ++i) {
        b_.fed_.clear();
        ask(2);
        EXPECT_THAT(b_.fed_, ElementsAre(expects(2)));
        ask(3);
        pass(OpenExchanges::kEmittedBy);
        ask(3);
        EXPECT_THAT(b_.fed_, ElementsAre(expects(2), expects(3)));
    }
    ask(3);
    ask(2);
    EXPECT_THAT(b_.fed_, SizeIs(2)) << "the client has continued";
}

TEST_F(IpsecOpenExchangesTest, AClientWhoseRepetitionWasAnsweredContinues) {
    take_up(2);
    take_over();
    ask(2);
    ask(2);
    b_.notify(node::CharonEmitted{expects(3)}, now_);
    settle();
    ask(3);
    pass(seconds(4));
    ask(3);
    ask(2);
    EXPECT_THAT(b_.fed_, ElementsAre(expects(2)));
}

TEST_F(IpsecOpenExchangesTest, AChildThatTheClientHasUsedIsNotTakenBack) {
    take_up(2, 21);
    a_.in(21).seq = 5;
    pass(seconds(1));
    take_over();
    ask(2, true);
    EXPECT_THAT(b_.fed_, IsEmpty()) << "who has its keys was answered";
    EXPECT_NE(b_.replica_.store().find(child(21)), nullptr);
    ask(3);
    ask(2, true);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, AChildThatIsUsedAfterTheTakeoverIsNotTakenBack) {
    take_up(2, 21);
    take_over();
    b_.in(21).seq = 5;
    pass(seconds(1));
    ask(2, true);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, NothingIsRepeatedWhereAnotherNodeServes) {
    take_up(2);
    take_over();
    b_.keeper_.mute(b_.effects_);
    b_.run(now_);
    ask(2);
    EXPECT_THAT(b_.fed_, IsEmpty());
}

TEST_F(IpsecOpenExchangesTest, AnswersOfClientsAndRequestsOfTheGatewayAreNone) {
    take_up(2);
    take_over();
    b_.notify(node::IkeSeen{{.key = first_.id.key, .mid = 2, .is_answer = true}}, now_);
    b_.notify(node::IkeSeen{{.key = first_.id.key, .mid = 2, .is_sent = true}}, now_);
    settle();
    EXPECT_THAT(b_.fed_, IsEmpty());
    ask(2);
    EXPECT_EQ(repeated(), 1U);
}

// An hour's SA of which the rekey fell due while this charon was passive would live no longer.
TEST_F(IpsecOpenExchangesTest, WhatIsOverdueIsRekeyedWhereItIsTakenOver) {
    take_over();
    pass(IpsecSas::kRekeyPause - seconds(1));
    EXPECT_THAT(b_.rekeyed_, IsEmpty()) << "who repeats a request comes first";
    pass(seconds(2));
    EXPECT_THAT(b_.rekeyed_, ElementsAre(IsEmpty())) << "charon knows which";
    pass(seconds(60));
    EXPECT_THAT(b_.rekeyed_, SizeIs(1));
}

TEST_F(IpsecOpenExchangesTest, WhatHasFewNumbersLeftIsRekeyed) {
    a_.out(8).oseq = 0xffffffff - 3 * limits::kEspPerEpoch;
    pass(seconds(1));
    take_over();
    pass(IpsecSas::kRekeyPause + seconds(1));
    EXPECT_THAT(b_.rekeyed_, ElementsAre(ElementsAre(7)));
}

TEST_F(IpsecOpenExchangesTest, WindowsBehindANatIsAskedForNoRekey) {
    for (const auto& [conditions, extensions, number] :
         {std::tuple{0x5U, 0x41U, 2U}, {0x5U, 0x1U, 3U}, {0x3U, 0x41U, 4U}}) {
        IkeSample windows{test::ike_id(2, number)};
        windows.conditions = conditions;
        windows.extensions = extensions;
        emit(windows.add());
        emit(windows.update());
    }
    settle();
    take_over();
    pass(IpsecSas::kRekeyPause + seconds(1));
    EXPECT_THAT(b_.refusing_, ElementsAre(second_.id.key));
}

TEST_F(IpsecOpenExchangesTest, NothingIsRekeyedWhereAnotherNodeServes) {
    take_over();
    b_.keeper_.mute(b_.effects_);
    b_.run(now_);
    pass(IpsecSas::kRekeyPause + seconds(1));
    EXPECT_THAT(b_.rekeyed_, IsEmpty());
}

}  // namespace ipsec_open_exchanges_test
}  // namespace vpnha::keepers
