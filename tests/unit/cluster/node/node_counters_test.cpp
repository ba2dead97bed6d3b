// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes among each other, with a family of counters: what the lease is told of them, and what
// their next holder is told.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "fake_cluster.hpp"

namespace vpnha::node {
namespace node_counters_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

const wire::RecordKey kRecord{wire::RecordType::esp_counters, wire::RecordId(Bytes{1})};

// One counter. Its kernel answers at once, or when the test says so.
class OneCounter final : public keepers::Keeper, public keepers::Counted {
  public:
    explicit OneCounter(keepers::Gateway& gateway) : gateway_(gateway) { made.push_back(this); }
    ~OneCounter() override { std::erase(made, this); }

    [[nodiscard]] static std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                                               const keepers::Settings&) {
        return std::make_unique<OneCounter>(gateway);
    }
    inline static std::vector<OneCounter*> made;

    std::vector<keepers::Margin> margins;
    std::vector<std::string> calls;
    bool answers = true;  // The kernel.
    bool turns = true;    // The daemon.
    std::uint8_t value = 1;

    void answer(TimePoint now) {
        warm_ = true;
        if (asked_at_ && gateway_.replica().promoted()) {
            gateway_.replica().publish(kRecord, Bytes{value});
            read_at_ = *asked_at_;
        }
        asked_at_.reset();
        static_cast<void>(now);
    }

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    [[nodiscard]] keepers::Counted* counted() override { return this; }
    void warm(const keepers::Margin& margin, TimePoint now, Effects&) override {
        calls.emplace_back("warm");
        margins.push_back(margin);
        warm_ = false;
        answers ? answer(now) : void();
    }
    [[nodiscard]] bool is_warm() const override { return warm_; }
    void read(TimePoint now, Effects&) override {
        calls.emplace_back("read");
        asked_at_ = now;
        answers ? answer(now) : void();
    }
    [[nodiscard]] TimePoint read_at() const override { return read_at_; }
    [[nodiscard]] bool has_turned() const override { return turns; }

    void install(const replica::Install& wanted, TimePoint now, Effects&) override {
        gateway_.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed,
                                        now);
    }
    void remove(const wire::RecordKey&, Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint, Effects&) override {}
    void promote(TimePoint, Effects&) override { calls.emplace_back("promote"); }
    void pause(Effects&) override {}
    void unpause(TimePoint, Effects&) override {}
    void mute(Effects&) override { calls.emplace_back("mute"); }
    void detach(Effects&) override {}
    void on_event(const KeeperEvent&, TimePoint, Effects&) override {}
    void on_time(TimePoint, Effects&) override {}
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override { return std::nullopt; }
    [[nodiscard]] keepers::Counts counts() const override { return {}; }

  private:
    static constexpr std::array kTypes{wire::RecordType::esp_counters};

    keepers::Gateway& gateway_;
    bool warm_ = true;
    std::optional<TimePoint> asked_at_;
    TimePoint read_at_{};
};

constexpr std::array<keepers::Make, 1> kCounterAlone{OneCounter::make};

class NodeCountersTest : public ::testing::Test {
  protected:
    explicit NodeCountersTest(bool stand_in = false) : cluster_(3, 3, stand_in) {
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.kill(node);
        }
        cluster_.settings().families = kCounterAlone;
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.start(node);
        }
    }

    OneCounter& counter(std::uint32_t node) { return *OneCounter::made.at(node - 1); }
    // The holder's keeper reads, and the standbys have it a second later.
    void read(std::uint32_t node) {
        ++counter(node).value;
        Effects effects;
        counter(node).read(cluster_.now(), effects);
        cluster_.run(node, cluster_.at(node).node->on_time(cluster_.now()));
        cluster_.pass(seconds(1));
    }
    [[nodiscard]] lease::Checkpoint emitted(std::uint32_t node) {
        return cluster_.lease(node).state().checkpoint;
    }

    FakeCluster cluster_;
    std::optional<SendLease> later_;
};

class NodeCountersStandInTest : public NodeCountersTest {
  protected:
    NodeCountersStandInTest() : NodeCountersTest(true) {}
};

TEST_F(NodeCountersTest, TheFirstHolderEverCountsFromNothing) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    ASSERT_THAT(counter(1).margins, SizeIs(1));
    EXPECT_EQ(counter(1).margins[0].run_on, Duration{});
    EXPECT_EQ(counter(1).margins[0].granted, cluster_.replica(1).epoch());
    EXPECT_THAT(counter(1).calls, ElementsAre("warm", "promote"));
}

TEST_F(NodeCountersTest, TheLeaseLearnsWhatAllStandbysHaveConfirmed) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    EXPECT_EQ(emitted(1), lease::Checkpoint{});
    const TimePoint first = cluster_.now();
    read(1);
    EXPECT_EQ(emitted(1), (lease::Checkpoint{cluster_.replica(1).epoch(), 1, first}));
    cluster_.hold(true);  // Nobody hears of the second one.
    read(1);
    EXPECT_EQ(emitted(1).taken_at, first);
}

TEST_F(NodeCountersTest, ADeadHoldersSuccessorCountsFromWhatWasConfirmed) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    const TimePoint first = cluster_.now();
    read(1);
    cluster_.pass(seconds(3));
    const TimePoint deadline = cluster_.lease(1).holder().state().deadline;
    cluster_.kill(1);
    ASSERT_TRUE(cluster_.promote(2).has_value());
    ASSERT_THAT(OneCounter::made, SizeIs(2));
    const std::vector<keepers::Margin>& margins = counter(1).margins;  // Node 1's has gone.
    ASSERT_THAT(margins, SizeIs(1));
    EXPECT_THAT(margins[0].run_on, Optional(deadline - first));
}

TEST_F(NodeCountersTest, AGrantedNodesGateWaitsUntilTheCountersAreWarm) {
    counter(1).answers = false;
    const RequestToken request = cluster_.begin_promote(1);
    EXPECT_EQ(cluster_.state(1), takeover::State::taking_over);
    EXPECT_THAT(cluster_.at(1).steps, IsEmpty()) << "no address, no gate";
    EXPECT_FALSE(cluster_.replica(1).promoted());
    cluster_.pass(milliseconds(200));
    EXPECT_THAT(cluster_.at(1).steps, IsEmpty());
    counter(1).answer(cluster_.now());
    cluster_.run(1, cluster_.at(1).node->on_time(cluster_.now()));
    EXPECT_TRUE(cluster_.at(1).answers.at(request).has_value());
    EXPECT_TRUE(cluster_.gate_open(1));
}

TEST_F(NodeCountersTest, CountersThatDoNotBecomeWarmUndoThePromotion) {
    counter(1).answers = false;
    const Result<void> promoted = cluster_.promote(1);
    ASSERT_FALSE(promoted.has_value());
    EXPECT_THAT(promoted.error().detail, HasSubstr("warm_counters"));
    EXPECT_FALSE(cluster_.gate_open(1));
}

TEST_F(NodeCountersTest, AHandoverIsExact) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    read(1);
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    counter(1).value = 9;
    ASSERT_TRUE(cluster_.promote(2).has_value());
    EXPECT_EQ(counter(2).margins.at(0).run_on, Duration{});
    EXPECT_EQ(cluster_.replica(2).store().find(kRecord)->payload.copy(), Bytes{9});
    EXPECT_THAT(counter(1).calls, ElementsAre("warm", "promote", "read", "read", "mute"));
    EXPECT_EQ(cluster_.state(1), takeover::State::standby);
}

// A packet may leave until then, with a number that the reading before does not know.
TEST_F(NodeCountersTest, TheLastCountersAreReadWhenTheGateOfAPlannedMoveHasShut) {
    cluster_.state_macs(2);
    ASSERT_TRUE(cluster_.promote(1).has_value());
    read(1);
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    const std::size_t calls = counter(1).calls.size();
    cluster_.begin_promote(2);
    ASSERT_TRUE(cluster_.at(1).left.has_value());
    EXPECT_TRUE(cluster_.gate_open(1)) << "what is within may leave";
    EXPECT_THAT(counter(1).calls, SizeIs(calls));
    counter(1).value = 9;
    cluster_.pass(limits::kLetsOut);
    EXPECT_FALSE(cluster_.gate_open(1));
    EXPECT_THAT(counter(1).calls, SizeIs(calls + 2)) << "read, and muted behind it";
    cluster_.pass(milliseconds(10));
    EXPECT_EQ(counter(2).margins.at(0).run_on, Duration{});
    EXPECT_EQ(cluster_.replica(2).store().find(kRecord)->payload.copy(), Bytes{9});
    EXPECT_EQ(cluster_.state(1), takeover::State::standby);
}

TEST_F(NodeCountersTest, AReadingThatLastsKeepsTheSuccessorForFiftyMilliseconds) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    const TimePoint first = cluster_.now();
    read(1);
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    counter(1).answers = false;
    const RequestToken request = cluster_.begin_promote(2);
    const TimePoint begun = cluster_.now();
    const TimePoint until = *cluster_.lease(1).handing_over();
    EXPECT_FALSE(cluster_.gate_open(1));
    EXPECT_EQ(cluster_.state(1), takeover::State::releasing);
    EXPECT_THAT(counter(1).calls, Not(Contains("mute"))) << "its epoch continues until then";
    while (!cluster_.at(2).answers.contains(request)) {
        cluster_.pass(milliseconds(1));
    }
    EXPECT_GE(cluster_.now() - begun, milliseconds(50));
    EXPECT_LE(cluster_.now() - begun, milliseconds(55));
    EXPECT_THAT(counter(2).margins.at(0).run_on, Optional(until - first)) << "the one before";
    EXPECT_EQ(cluster_.state(1), takeover::State::standby);
}

TEST_F(NodeCountersTest, ASuccessorThatHasNotReceivedTheLastCountersWaitsForThem) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    read(1);
    ASSERT_TRUE(cluster_.begin_demote(1).has_value());
    // The holder hears its own word, and the successor does not: it has lost the group.
    cluster_.lose_leases([this](std::uint32_t from, const SendLease& sent) {
        const auto* answer = std::get_if<lease::Answer>(&sent.message);
        if (from == 1 && answer != nullptr && answer->handover) {
            later_ = sent;
            return true;
        }
        return false;
    });
    const RequestToken request = cluster_.begin_promote(2);
    ASSERT_TRUE(later_.has_value());
    lease::Answer answer = std::get<lease::Answer>(later_->message);
    answer.handover->checkpoint.sequence += 1;  // As if one more were on its way.
    cluster_.lose_leases({});
    lease::Sender holder;
    holder.node = NodeId{1};
    cluster_.run(2,
                 cluster_.at(2).node->on_lease_message(kGateway, holder, answer, cluster_.now()));
    EXPECT_THAT(counter(2).margins, IsEmpty());
    cluster_.pass(milliseconds(60));
    EXPECT_EQ(counter(2).margins.at(0).run_on, std::nullopt) << "exact is what it does not hold";
    EXPECT_TRUE(cluster_.at(2).answers.at(request).has_value());
}

TEST_F(NodeCountersTest, AServiceThatDoesNotTurnIsWaitedForAWhile) {
    counter(1).turns = false;
    const RequestToken request = cluster_.begin_promote(1);
    EXPECT_TRUE(cluster_.gate_open(1)) << "data flows";
    EXPECT_FALSE(cluster_.at(1).answers.contains(request));
    cluster_.pass(milliseconds(510));
    EXPECT_TRUE(cluster_.at(1).answers.at(request).has_value());
    EXPECT_THAT(cluster_.at(1).log, Contains(HasSubstr("has not changed its role in time")));
}

TEST_F(NodeCountersStandInTest, WhoStandsInHasItsCountersWarmBeforeItsGateOpens) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    read(1);
    cluster_.pass(seconds(2));
    counter(3).answers = false;
    cluster_.hold(true);
    cluster_.lose_power(1);
    cluster_.pass(milliseconds(460));
    EXPECT_EQ(cluster_.state(3), takeover::State::standing_in);
    EXPECT_FALSE(cluster_.gate_open(3));
    OneCounter& stands_in = counter(2);  // Node 1's has gone.
    EXPECT_TRUE(stands_in.margins.at(0).run_on.has_value());
    stands_in.answer(cluster_.now());
    cluster_.run(3, cluster_.at(3).node->on_time(cluster_.now()));
    EXPECT_TRUE(cluster_.gate_open(3));
    EXPECT_FALSE(cluster_.replica(3).promoted());
}

TEST_F(NodeCountersStandInTest, WhatItReportsToItsRoundsCountsItsOwnMarginFully) {
    ASSERT_TRUE(cluster_.promote(1).has_value());
    const TimePoint first = cluster_.now();
    read(1);
    const lease::Checkpoint confirmed = emitted(1);
    cluster_.pass(seconds(2));
    const TimePoint deadline = cluster_.lease(1).holder().state().deadline;
    cluster_.hold(true);
    cluster_.lose_power(1);
    cluster_.pass(milliseconds(460));
    ASSERT_EQ(cluster_.state(3), takeover::State::standing_in);
    const lease::Checkpoint chained = emitted(3);
    EXPECT_EQ(chained.epoch, confirmed.epoch);
    EXPECT_EQ(chained.sequence, confirmed.sequence);
    // It began with a margin of deadline - first, and another node may hold as much less.
    const TimePoint granted_at = cluster_.at(3).node->find(kGateway)->view().stand_in().since();
    EXPECT_EQ(chained.taken_at, granted_at - 2 * (deadline - first));
}

}  // namespace node_counters_test
}  // namespace vpnha::node
