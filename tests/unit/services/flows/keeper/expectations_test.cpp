// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes and what the helpers in their kernels expect.
#include "services/flows/keeper/expectations.hpp"

#include <gmock/gmock.h>

#include "services/flows/work.hpp"
#include "support/expectation_builder.hpp"
#include "unit/cluster/node/fake_cluster.hpp"
#include "unit/cluster/node/sample_session.hpp"

namespace vpnha::node {
namespace expectations_test {

using conntrack::Expectation;
using conntrack::ExpectationNews;
using conntrack::Flow;
using conntrack::News;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ftp_expectation;
using test::ftp_flow;
using test::nat_tcp_flow;
using test::sip_expectation;
using test::sip_flow;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

constexpr std::uint32_t kWeek = 7 * 24 * 3600;

FakeCluster gateway_in_zone_7() {
    FakeCluster cluster(0);
    cluster.flow_settings().policy.zones = {7};
    for (const std::uint32_t node : {1U, 2U}) {
        cluster.start(node);
    }
    return cluster;
}

class ExpectationsTest : public ::testing::Test {
  protected:
    explicit ExpectationsTest(FakeCluster cluster = with_one_session())
        : cluster_(std::move(cluster)) {}

    FakeFlowTable& table(std::uint32_t node) { return cluster_.at(node).flows; }
    const keepers::FlowCounters& counters(std::uint32_t node) {
        return cluster_.at(node)
            .node->find(kGateway)
            ->cores()
            .keepers.find<keepers::Flows>()
            ->counters();
    }
    std::size_t records(std::uint32_t node) {
        return cluster_.replica(node).store().size_of(wire::RecordType::expectation);
    }

    // As the kernel of the promoted node has it, and says so.
    void begin(const Flow& flow, std::uint32_t node = 1) {
        table(node).flows.insert_or_assign(flow.key, flow);
        handle(News{News::Kind::changed, flow}, node);
    }
    void handle(const News& news, std::uint32_t node) {
        cluster_.run(node, cluster_.at(node).node->on_event(kGateway, FlowNews{std::span(&news, 1)},
                                                            cluster_.now()));
    }
    void expect(const Expectation& expectation, std::uint32_t node = 1) {
        table(node).expectations.insert_or_assign(expectation.key, expectation);
        handle({ExpectationNews::Kind::made, expectation}, node);
    }
    void end(const Expectation& expectation, std::uint32_t node = 1) {
        table(node).expectations.erase(expectation.key);
        handle({ExpectationNews::Kind::ended, expectation}, node);
    }
    void handle(ExpectationNews news, std::uint32_t node) {
        news.expectation.key.zone = news.expectation.parent.zone = {};  // The kernel says none.
        cluster_.run(node,
                     cluster_.at(node).node->on_event(
                         kGateway, node::ExpectationNews{std::span(&news, 1)}, cluster_.now()));
    }
    void lose_events(std::uint32_t node = 1) {
        cluster_.run(node,
                     cluster_.at(node).node->on_event(kGateway, FlowNewsLost{}, cluster_.now()));
    }

    FakeCluster cluster_;
};

TEST_F(ExpectationsTest, WhatIsAnnouncedIsExpectedByTheStandbysATenthOfASecondLater) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    for (const std::uint32_t node : {2U, 3U}) {
        ASSERT_THAT(table(node).expectations, Contains(Key(ftp_expectation().key)));
        Expectation hot = table(node).expectations.at(ftp_expectation().key);
        EXPECT_EQ(hot.timeout_s, kWeek);
        hot.timeout_s = ftp_expectation().timeout_s;
        EXPECT_EQ(hot, ftp_expectation());
    }
}

TEST_F(ExpectationsTest, WhatEndsStaysForASecondUntilItsFlowIsThere) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    end(ftp_expectation());
    cluster_.pass(milliseconds(900));
    EXPECT_EQ(table(2).expectations.size(), 1U);
    cluster_.pass(milliseconds(300));
    EXPECT_EQ(table(2).expectations.size(), 0U);
    EXPECT_EQ(records(1), 0U);
}

TEST_F(ExpectationsTest, WhatIsMadeAnewAtOnceDoesNotGo) {
    cluster_.pass(seconds(3));  // The promotion's listing is over.
    begin(ftp_flow());
    expect(ftp_expectation());
    end(ftp_expectation());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(1300));
    EXPECT_EQ(table(2).expectations.size(), 1U);
}

TEST_F(ExpectationsTest, AParentThatIsNotAssuredIsWorthARecordBecauseOfIt) {
    begin(sip_flow());
    cluster_.pass(seconds(2));
    ASSERT_EQ(table(2).flows.size(), 0U);
    expect(sip_expectation());
    cluster_.pass(milliseconds(100));
    EXPECT_THAT(table(2).flows, Contains(Key(sip_flow().key)));
    EXPECT_THAT(table(2).expectations, Contains(Key(sip_expectation().key)));
}

TEST_F(ExpectationsTest, TheEndOfSuchAParentIsNotMissed) {
    cluster_.pass(seconds(3));  // The promotion's listing is over.
    begin(sip_flow());
    expect(sip_expectation());
    cluster_.pass(milliseconds(200));
    ASSERT_EQ(table(2).flows.size(), 1U);
    table(1).flows.erase(sip_flow().key);  // The kernel's filter holds that back.
    end(sip_expectation());
    cluster_.pass(milliseconds(1200));
    EXPECT_EQ(table(2).flows.size(), 0U);
}

// Asked for before the promotion, done after it; the kernel sends no event about such a flow.
TEST_F(ExpectationsTest, AParentThatIsInstalledAfterThePromotionDoesNotStayHot) {
    table(2).busy = true;
    begin(sip_flow());
    expect(sip_expectation());
    cluster_.pass(milliseconds(100));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(seconds(2));
    ASSERT_EQ(table(2).flows.size(), 0U);
    cluster_.run(2, table(2).do_waiting(*cluster_.at(2).node, cluster_.now()));
    EXPECT_FALSE(is_hot(table(2).flows.at(sip_flow().key)));
}

TEST_F(ExpectationsTest, AParentWhoseExpectationBecomesAnothersIsNotKept) {
    cluster_.pass(seconds(3));  // The promotion's listing is over.
    Flow first = ftp_flow(40'000);
    Flow second = ftp_flow(40'001);
    first.status = second.status = conntrack::kSeenReply;
    begin(first);
    begin(second);
    expect(ftp_expectation(first));
    cluster_.pass(milliseconds(200));
    ASSERT_THAT(table(2).flows, Contains(Key(first.key)));
    end(ftp_expectation(first));
    expect(ftp_expectation(second));
    cluster_.pass(milliseconds(1200));
    EXPECT_THAT(table(2).flows, Not(Contains(Key(first.key))));
    EXPECT_THAT(table(2).flows, Contains(Key(second.key)));
}

TEST_F(ExpectationsTest, ParentsOfOtherGatewaysAreNotOurs) {
    Flow other = ftp_flow();
    other.key.zone.id = 9;
    begin(other);
    expect(ftp_expectation(other));
    cluster_.pass(seconds(5));
    EXPECT_EQ(records(1), 0U);
    EXPECT_EQ(table(2).expectations.size(), 0U);
}

TEST_F(ExpectationsTest, OfPptpTheyHaveNoRecord) {
    begin(ftp_flow());
    Expectation call = ftp_expectation();
    call.key.protocol = conntrack::kGre;
    expect(call);
    cluster_.pass(seconds(3));
    EXPECT_EQ(records(1), 0U);
}

TEST_F(ExpectationsTest, ARegistrationThatWasRefreshedIsFoundByAListing) {
    begin(sip_flow());
    Expectation registering = sip_expectation();
    registering.flags |= conntrack::kExpectInactive;
    registering.timeout_s = 180;
    expect(registering);
    cluster_.pass(milliseconds(200));
    ASSERT_EQ(table(2).expectations.at(registering.key).flags, registering.flags);
    table(1).expectations.at(registering.key) = sip_expectation();  // Without an event.
    cluster_.pass(seconds(3));
    EXPECT_EQ(table(2).expectations.at(registering.key).flags, conntrack::kExpectPermanent);
    const std::uint64_t emitted = cluster_.replica(1).sequence();
    table(1).expectations.at(registering.key).timeout_s = 3'000;
    cluster_.pass(seconds(6));
    EXPECT_EQ(cluster_.replica(1).sequence(), emitted) << "what is left of it is no news";
}

TEST_F(ExpectationsTest, TheKernelIsAskedAsLongAsThereAreAny) {
    cluster_.pass(seconds(10));
    const int before = table(1).expectation_listings;
    cluster_.pass(seconds(10));
    EXPECT_EQ(table(1).expectation_listings, before);
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(seconds(10));
    EXPECT_GE(table(1).expectation_listings, before + 4);
    end(ftp_expectation());
    cluster_.pass(seconds(10));
    const int after = table(1).expectation_listings;
    cluster_.pass(seconds(10));
    EXPECT_EQ(table(1).expectation_listings, after);
}

TEST_F(ExpectationsTest, AfterATakeoverItComesThroughAndHasItsOwnTimeout) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_EQ(table(2).expectations.size(), 1U);
    cluster_.pass(milliseconds(1100));
    EXPECT_EQ(table(2).expectations.at(ftp_expectation().key).timeout_s, 300U);
    EXPECT_EQ(table(3).expectations.at(ftp_expectation().key).timeout_s, kWeek);
    end(ftp_expectation(), 2);
    cluster_.pass(milliseconds(1200));
    EXPECT_EQ(table(3).expectations.size(), 0U);
}

TEST_F(ExpectationsTest, WhatEventsWereLostOfIsFoundByAListing) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(seconds(2));
    table(1).expectations.clear();
    const Expectation other = ftp_expectation(ftp_flow(), 50'001);
    table(1).expectations.insert_or_assign(other.key, other);
    lose_events();
    cluster_.pass(milliseconds(1200));
    EXPECT_THAT(table(2).expectations, Contains(Key(other.key)));
    EXPECT_THAT(table(2).expectations, Not(Contains(Key(ftp_expectation().key))));
}

TEST_F(ExpectationsTest, WithoutItsParentItIsRefusedAndTriedAgain) {
    table(2).room = 0;
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    EXPECT_EQ(table(2).expectations.size(), 0U);
    EXPECT_THAT(cluster_.at(2).log, Contains(HasSubstr("refused")));
    EXPECT_EQ(cluster_.at(2).node->find(kGateway)->view().standing(), wire::Level::complete);
    EXPECT_TRUE(cluster_.replica(1).is_protected(
        {wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(session(1).key))}));
    table(2).room = 1;
    cluster_.pass(seconds(60));
    EXPECT_EQ(table(2).expectations.size(), 1U);
}

TEST_F(ExpectationsTest, AStandbyRenewsTheirTimeoutsAndInstallsWhatIsMissing) {
    begin(ftp_flow());
    expect(ftp_expectation());
    expect(ftp_expectation(ftp_flow(), 50'001));
    cluster_.pass(milliseconds(100));
    table(2).expectations.at(ftp_expectation().key).timeout_s = 10;
    table(2).expectations.erase(ftp_expectation(ftp_flow(), 50'001).key);
    cluster_.pass(seconds(21));
    ASSERT_EQ(table(2).expectations.size(), 2U);
    EXPECT_EQ(table(2).expectations.at(ftp_expectation().key).timeout_s, kWeek);
    EXPECT_EQ(counters(2).missing, 1U);
}

TEST_F(ExpectationsTest, WhatAnEarlierVpnhadLeftBehindIsRemoved) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    const FakeFlowTable kernel = table(3);
    ASSERT_EQ(kernel.expectations.size(), 1U);
    cluster_.kill_process(3);
    end(ftp_expectation());
    expect(ftp_expectation(ftp_flow(), 50'001));
    cluster_.start(3);
    table(3) = kernel;
    cluster_.pass(seconds(4));
    EXPECT_THAT(table(3).expectations, Not(Contains(Key(ftp_expectation().key))));
    EXPECT_THAT(table(3).expectations, Contains(Key(ftp_expectation(ftp_flow(), 50'001).key)));
}

// The flow continued behind a vpnhad that had served for less than a second.
TEST_F(ExpectationsTest, WhatWasLeftBehindIsRemovedWhenItsParentGetsItsRecordLater) {
    cluster_.kill_process(3);
    cluster_.start(3);
    Expectation left = ftp_expectation();
    left.timeout_s = kWeek;
    table(3).flows.insert_or_assign(ftp_flow().key, ftp_flow());
    table(3).expectations.insert_or_assign(left.key, left);
    cluster_.pass(seconds(4));
    begin(ftp_flow());
    expect(ftp_expectation(ftp_flow(), 50'001));
    cluster_.pass(seconds(4));
    EXPECT_THAT(table(3).expectations, Not(Contains(Key(left.key))));
    EXPECT_THAT(table(3).expectations, Contains(Key(ftp_expectation(ftp_flow(), 50'001).key)));
}

TEST_F(ExpectationsTest, ADemotedNodesAreHotAgain) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    ASSERT_TRUE(cluster_.promote(2).has_value());
    cluster_.pass(seconds(1));
    EXPECT_EQ(table(1).expectations.at(ftp_expectation().key).timeout_s, kWeek);
}

TEST_F(ExpectationsTest, NothingRemainsOfThemWhenAStandbyLeaves) {
    begin(ftp_flow());
    expect(ftp_expectation());
    cluster_.pass(milliseconds(100));
    ASSERT_TRUE(cluster_.detach(2).has_value());
    cluster_.pass(kOthersHaveThem);
    EXPECT_EQ(table(2).expectations.size(), 0U);
}

class ZonedExpectationsTest : public ExpectationsTest {
  protected:
    ZonedExpectationsTest() : ExpectationsTest(gateway_in_zone_7()) {}
};

TEST_F(ZonedExpectationsTest, TheZoneIsThatOfTheParent) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    Flow flow = ftp_flow();
    flow.key.zone = {7, conntrack::ZoneScope::original};
    begin(flow);
    expect(ftp_expectation(flow));
    cluster_.pass(milliseconds(100));
    ASSERT_THAT(table(2).expectations, Contains(Key(ftp_expectation(flow).key)));
    EXPECT_EQ(table(2).expectations.at(ftp_expectation(flow).key).parent, flow.key);
    end(ftp_expectation(flow));
    cluster_.pass(milliseconds(1200));
    EXPECT_EQ(table(2).expectations.size(), 0U);
}

}  // namespace expectations_test
}  // namespace vpnha::node
