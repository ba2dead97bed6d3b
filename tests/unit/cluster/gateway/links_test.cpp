// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/links.hpp"

#include <gmock/gmock.h>

namespace vpnha::node {
namespace links_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr LinkSide kOutside = LinkSide::outside;
constexpr LinkSide kInside = LinkSide::inside;

TimePoint at(int ms) {
    return kStart + milliseconds(ms);
}
IpAddress address(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}
const IpAddress kRouter = address("192.0.2.1");
const IpAddress kServer = address("192.0.2.2");

Links with_neighbours() {
    LinkSettings settings;
    settings.neighbours[0] = {kRouter, kServer};
    return Links(settings);
}

// What is due until then happens at its time; nobody answers.
void pass(Links& links, int until_ms) {
    for (auto next = links.next_deadline(); next && *next <= at(until_ms);
         next = links.next_deadline()) {
        static_cast<void>(links.on_time(std::max(*next, kStart)));
    }
}

TEST(LinksTest, WithoutNewsAndNeighboursBothSidesAreGood) {
    Links links({});
    EXPECT_EQ(links.lost_for_coming(), 0U);
    EXPECT_EQ(links.next_deadline(), std::nullopt);
    EXPECT_THAT(links.on_time(kStart), IsEmpty());
}

TEST(LinksTest, ALostCarrierIsLostAtOnceAndSettlesForTheHoldOff) {
    Links links({});
    links.on_carrier(kInside, false, at(0));
    EXPECT_EQ(links.state(kInside), LinkState::no_carrier);
    EXPECT_EQ(links.lost_for_staying(), 1U);
    links.on_carrier(kInside, true, at(500));
    EXPECT_EQ(links.state(kInside), LinkState::settling);
    EXPECT_EQ(links.lost_for_staying(), 0U) << "who is promoted can stay";
    EXPECT_EQ(links.lost_for_coming(), 1U) << "nobody moves to it";
    EXPECT_EQ(links.next_deadline(), at(60'500));
    static_cast<void>(links.on_time(at(60'499)));
    EXPECT_EQ(links.lost_for_coming(), 1U);
    static_cast<void>(links.on_time(at(60'500)));
    EXPECT_EQ(links.state(kInside), LinkState::good);
    EXPECT_THAT(links.take_news(),
                ElementsAre(Pair(kInside, LinkState::no_carrier),
                            Pair(kInside, LinkState::settling), Pair(kInside, LinkState::good)));
}

TEST(LinksTest, EachLossBeginsTheHoldOffAnew) {
    Links links({});
    for (const int ms : {0, 2'000, 4'000}) {
        links.on_carrier(kOutside, false, at(ms));
        links.on_carrier(kOutside, true, at(ms + 1'000));
    }
    EXPECT_EQ(links.next_deadline(), at(65'000));
}

TEST(LinksTest, NeighboursAreAskedAtOnceAndEachInterval) {
    Links links = with_neighbours();
    EXPECT_EQ(links.state(kOutside), LinkState::unknown);
    EXPECT_EQ(links.lost_for_coming(), 1U) << "not known to be good";
    EXPECT_EQ(links.lost_for_staying(), 0U) << "not known to be bad";
    EXPECT_THAT(links.on_time(at(0)), ElementsAre(kOutside));
    EXPECT_THAT(links.on_time(at(199)), IsEmpty());
    EXPECT_EQ(links.next_deadline(), at(200));
    EXPECT_THAT(links.on_time(at(200)), ElementsAre(kOutside));
}

TEST(LinksTest, TheFirstAnswerMakesASideGoodWithoutAHoldOff) {
    Links links = with_neighbours();
    static_cast<void>(links.on_time(at(0)));
    links.on_answer(kInside, kRouter, at(1));
    links.on_answer(kOutside, address("192.0.2.9"), at(1));
    EXPECT_EQ(links.state(kOutside), LinkState::unknown) << "nobody that was asked";
    links.on_answer(kOutside, kServer, at(1));
    EXPECT_EQ(links.state(kOutside), LinkState::good);
}

TEST(LinksTest, ASideIsLostWhenAllItsNeighboursLeftThreeQuestionsUnanswered) {
    Links links = with_neighbours();
    static_cast<void>(links.on_time(at(0)));
    links.on_answer(kOutside, kRouter, at(1));
    links.on_answer(kOutside, kServer, at(1));
    pass(links, 400);
    links.on_answer(kOutside, kServer, at(401));
    pass(links, 1'199);
    EXPECT_EQ(links.state(kOutside), LinkState::good) << "the third question has its time";
    pass(links, 1'200);
    EXPECT_EQ(links.state(kOutside), LinkState::no_answer);
}

TEST(LinksTest, WhatWasAnsweredBeforeALossOfTheCarrierReportsNothingAfterIt) {
    Links links = with_neighbours();
    static_cast<void>(links.on_time(at(0)));
    links.on_answer(kOutside, kRouter, at(1));
    links.on_carrier(kOutside, false, at(10));
    EXPECT_EQ(links.next_deadline(), std::nullopt) << "nobody can be asked";
    links.on_carrier(kOutside, true, at(20));
    EXPECT_EQ(links.state(kOutside), LinkState::no_carrier) << "lost until somebody answers";
    EXPECT_THAT(links.on_time(at(21)), ElementsAre(kOutside)) << "asked at once";
    links.on_answer(kOutside, kRouter, at(22));
    EXPECT_EQ(links.state(kOutside), LinkState::settling);
}

TEST(LinksTest, AGatewayIsGivenAwayWhenABetterNodeWasThereForAWhile) {
    Links links({});
    links.on_carrier(kOutside, false, at(0));
    EXPECT_FALSE(links.weigh(true, 0, at(0)));
    EXPECT_EQ(links.next_deadline(), at(200));
    EXPECT_FALSE(links.weigh(true, 0, at(199)));
    EXPECT_TRUE(links.weigh(true, 0, at(200)));
    EXPECT_TRUE(links.giving_away());
    EXPECT_FALSE(links.weigh(true, 0, at(201))) << "once";
}

TEST(LinksTest, NothingIsGivenToNobodyOrToOneThatIsNoBetter) {
    Links links({});
    links.on_carrier(kOutside, false, at(0));
    for (const int ms : {0, 1'000, 10'000}) {
        EXPECT_FALSE(links.weigh(true, 1, at(ms)));
        EXPECT_FALSE(links.weigh(true, std::nullopt, at(ms)));
        EXPECT_FALSE(links.weigh(false, 0, at(ms))) << "nothing to give";
    }
}

TEST(LinksTest, TheOthersMayLoseTheSameALittleLater) {
    Links links({});
    links.on_carrier(kOutside, false, at(0));
    EXPECT_FALSE(links.weigh(true, 0, at(0)));
    EXPECT_FALSE(links.weigh(true, 1, at(150)));
    EXPECT_FALSE(links.weigh(true, 0, at(300))) << "the time begins anew";
    EXPECT_FALSE(links.weigh(true, 0, at(499)));
    EXPECT_TRUE(links.weigh(true, 0, at(500)));
}

TEST(LinksTest, ALossThatOnlyQuestionsShowIsWaitedForLonger) {
    Links links = with_neighbours();
    pass(links, 600);
    ASSERT_EQ(links.state(kOutside), LinkState::no_answer);
    EXPECT_FALSE(links.weigh(true, 0, at(600)));
    EXPECT_FALSE(links.weigh(true, 0, at(999)));
    EXPECT_TRUE(links.weigh(true, 0, at(1'000)));
}

TEST(LinksTest, WhoseLinkIsBackInTimeKeepsTheGateway) {
    Links links({});
    links.on_carrier(kOutside, false, at(0));
    EXPECT_FALSE(links.weigh(true, 0, at(0)));
    links.on_carrier(kOutside, true, at(100));
    for (const int ms : {100, 300, 1'000}) {
        EXPECT_FALSE(links.weigh(true, 0, at(ms))) << "settling is no reason to move";
    }
}

TEST(LinksTest, WhatIsBeingGivenAwayIsNotTakenBackWhenTheLinkReturns) {
    Links links({});
    links.on_carrier(kOutside, false, at(0));
    EXPECT_FALSE(links.weigh(true, 0, at(0)));
    EXPECT_TRUE(links.weigh(true, 0, at(200)));
    links.on_carrier(kOutside, true, at(300));
    EXPECT_FALSE(links.weigh(true, 0, at(300)));
    EXPECT_TRUE(links.giving_away()) << "Pacemaker is at it";
    EXPECT_FALSE(links.weigh(true, 1, at(400)));
    EXPECT_FALSE(links.giving_away()) << "there is nobody to give it to any more";
}

}  // namespace links_test
}  // namespace vpnha::node
