// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/work.hpp"
#include "services/accounting/work.hpp"
#include "unit/protocols/pptp/keeper/pptp_calls_world.hpp"

namespace vpnha::keepers {
namespace pptp_calls_test {

TEST_F(PptpCallsTest, AStockCallIsPreparedOnAStandbyAtOnce) {
    EXPECT_TRUE(a_.watched_);
    bring_up();
    EXPECT_EQ(b_.prepared_, 1);
    EXPECT_EQ(b_.numbers_, sample_numbers());
    EXPECT_THAT(a_.answers_, ElementsAre(true));
    EXPECT_EQ(a_.prepared_, 0);
    ASSERT_THAT(a_.keeper_.sessions({}), SizeIs(1));
    EXPECT_EQ(a_.keeper_.sessions({})[0].state, SessionState::protected_);
    ASSERT_THAT(b_.keeper_.sessions({}), SizeIs(1));
    EXPECT_EQ(b_.keeper_.sessions({})[0].state, SessionState::hot);
    EXPECT_EQ(b_.keeper_.sessions({})[0].protocol, "pptp");
}

TEST_F(PptpCallsTest, APppdContinuesWithoutAStandby) {
    b_.answers_preparations_ = false;
    bring_up();
    EXPECT_THAT(a_.answers_, IsEmpty());
    pass(milliseconds(60));
    EXPECT_THAT(a_.answers_, ElementsAre(false));
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_EQ(a_.keeper_.sessions({})[0].state, SessionState::protected_);
}

TEST_F(PptpCallsTest, NumbersFollowInBatchesAndOnlyWhenTheyMove) {
    bring_up();
    pass(seconds(1));
    EXPECT_EQ(b_.sets_, 0);
    EXPECT_GE(a_.reads_, 8);
    a_.numbers_.tsval += 500;
    pass(seconds(1));
    EXPECT_EQ(b_.sets_, 0);
    a_.numbers_.mppe_out += 700;
    pass(milliseconds(300));
    EXPECT_EQ(b_.sets_, 1);
    EXPECT_EQ(b_.numbers_.mppe_out, sample_numbers().mppe_out + 700);
    EXPECT_LE(now_ - a_.keeper_.read_at(), milliseconds(200));
    EXPECT_EQ(b_.prepared_, 1);
}

TEST_F(PptpCallsTest, ATakeoverContinuesWithWhatIsPrepared) {
    bring_up();
    kill_a();
    EXPECT_FALSE(b_.keeper_.takes_packets()) << "not before it is promoted";
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
    EXPECT_THAT(b_.exact_, ElementsAre(false));
    EXPECT_THAT(b_.tenures_, ElementsAre(2)) << "the epoch's";
    EXPECT_FALSE(b_.keeper_.takes_packets()) << "its call does not yet";
    b_.notify(node::CallResumed{kKey, "rung 0"}, now_);
    EXPECT_TRUE(b_.keeper_.takes_packets());
    EXPECT_EQ(b_.keeper_.sessions({})[0].state, SessionState::unprotected);
    EXPECT_EQ(b_.keeper_.counts().at("pptp_resumed"), 1U);
    const std::uint64_t sent = b_.keeper_.counts().at("pptp_gre_out");
    const std::uint32_t last = b_.numbers_.gre_out + 77;
    b_.numbers_.gre_out = last;
    pass(milliseconds(300));
    EXPECT_EQ(b_.keeper_.counts().at("pptp_gre_out"), sent + 77);
    EXPECT_EQ(b_.keeper_.counts().at("pptp_gre_in"), 0U);
    const auto* stored = b_.replica_.store().find(
        {wire::RecordType::pptp_numbers, wire::RecordId(pptp::encode_key(kKey))});
    ASSERT_NE(stored, nullptr);
    EXPECT_EQ(pptp::parse_numbers(stored->payload)->gre_out, last);
    // Its end is the end of its records.
    b_.notify(node::CallEnded{kKey, "peer sent Call-Clear-Request"}, now_);
    settle();
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.keeper_.sessions({}), IsEmpty());
}

TEST_F(PptpCallsTest, ScriptsRunWhereItsPacketsFlowAgainAndWhereItEnds) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.scripts_, IsEmpty()) << "its client is asked for numbers";
    for (int i = 0; i < 2; ++i) {  // Also after a pause.
        b_.notify(node::CallResumed{kKey, "rung 0"}, now_);
        settle();
        EXPECT_THAT(b_.scripts_, ElementsAre("up"));
        b_.keeper_.pause(b_.effects_);
        b_.keeper_.unpause(now_, b_.effects_);
        settle();
    }
    EXPECT_EQ(b_.script_facts_.device, kDevice);
    EXPECT_EQ(b_.script_facts_.ipparam, "192.0.2.51") << "as pptpd has it";
    b_.notify(node::CallEnded{kKey, "peer sent Call-Clear-Request"}, now_);
    settle();
    EXPECT_THAT(b_.scripts_, ElementsAre("up", "down"));
    EXPECT_THAT(a_.scripts_, IsEmpty()) << "its pppd runs them";
    EXPECT_THAT(b_.proxies_, ElementsAre("answer", "stop"));
    EXPECT_THAT(a_.proxies_, IsEmpty()) << "its pppd has done it";
}

TEST_F(PptpCallsTest, ScriptsRunWhereACallIsGivenAway) {
    bring_up();
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    b_.notify(node::CallResumed{kKey, "exact"}, now_);
    pass(seconds(1));
    EXPECT_THAT(b_.scripts_, ElementsAre("up"));
    EXPECT_THAT(a_.scripts_, ElementsAre(sample_call().facts.interface + " down"));
    EXPECT_THAT(a_.proxies_, ElementsAre("stop")) << "its pppd is killed";
    EXPECT_THAT(b_.proxies_, ElementsAre("answer"));
    demote(b_);
    promote(a_, 3, Duration::zero());
    pass(seconds(1));
    EXPECT_THAT(b_.scripts_, ElementsAre("up", "down"));
}

TEST_F(PptpCallsTest, AnOperatorEndsAStockCallByItsPppd) {
    bring_up();
    EXPECT_TRUE(a_.keeper_.end(kRecord, now_, a_.effects_));
    settle();
    EXPECT_THAT(a_.ended_plugins_, ElementsAre(1));
    EXPECT_THAT(a_.ordered_to_end_, IsEmpty());
    EXPECT_FALSE(b_.keeper_.end(kRecord, now_, b_.effects_));
}

TEST_F(PptpCallsTest, AnOperatorEndsAResumedCallByTheDataPath) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_TRUE(b_.keeper_.end(kRecord, now_, b_.effects_));
    settle();
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
    EXPECT_THAT(b_.ended_plugins_, IsEmpty());
}

TEST_F(PptpCallsTest, AResumedCallEndsWhenItsSessionTimeoutIsOver) {
    bring_up();
    kill_a();
    age(seconds(sample_call().facts.timeouts.session_s) - seconds(3));
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_EQ(b_.traffic_reads_, 1);
    const node::TrafficRead read{0, {}};
    b_.keeper_.on_event(node::AccountingEvent(read), now_, b_.effects_);
    pass(milliseconds(2200));
    EXPECT_THAT(b_.ordered_to_end_, IsEmpty());
    pass(milliseconds(900));
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
    EXPECT_EQ(b_.end_cause_, EndCause::session_timeout);
    // While it is stock its pppd ends it.
    EXPECT_EQ(a_.traffic_reads_, 0);
}

TEST_F(PptpCallsTest, AStockCallsTimeIsChangedByItsPppdAndInItsRecord) {
    bring_up();
    const ppp::Timeouts before = sample_call().facts.timeouts;
    const auto changed =
        a_.keeper_.change(kRecord, {.session_s = 60, .idle_s = {}}, now_, a_.effects_);
    EXPECT_EQ(changed.value().timeouts, (ppp::Timeouts{60, before.idle_s}));
    settle();
    EXPECT_EQ(a_.changed_plugins_.at(1), changed->timeouts);
    EXPECT_EQ(b_.prepared_, 2);
    EXPECT_FALSE(b_.keeper_.change(kRecord, {.session_s = 60, .idle_s = {}}, now_, b_.effects_));
    kill_a();
    age(seconds(60));
    promote(b_, 2, milliseconds(700));
    settle();
    const node::TrafficRead read{0, {}};
    b_.keeper_.on_event(node::AccountingEvent(read), now_, b_.effects_);
    pass(milliseconds(50));
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ItsDevicesHaveItsRateOnEachNode) {
    rate_ = {20'000'000, 5'000'000};
    bring_up();
    EXPECT_THAT(a_.rates_, ElementsAre("20M/5M ppp0"));
    EXPECT_THAT(b_.rates_, ElementsAre("20M/5M 8"));
    const Rate slow{1'000'000, 1'000'000};
    ASSERT_TRUE(a_.keeper_.change(kRecord, {.rate = slow}, now_, a_.effects_));
    settle();
    EXPECT_THAT(a_.rates_, ElementsAre("20M/5M ppp0", "1M ppp0"));
    EXPECT_THAT(b_.rates_, ElementsAre("20M/5M 8", "1M 8"));
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_EQ(b_.rates_.size(), 2U) << "it has it already";
    ASSERT_TRUE(b_.keeper_.change(kRecord, {.rate = Rate{0, 64'000}}, now_, b_.effects_));
    settle();
    EXPECT_EQ(b_.rates_.back(), "0/64K 8");
    // The device waits for another call.
    b_.notify(node::CallEnded{kKey, "hung up", EndCause::user_request}, now_);
    settle();
    EXPECT_EQ(b_.rates_.back(), "none");
}

TEST_F(PptpCallsTest, WhatADemotedNodeHadResumedLeavesItsDevice) {
    rate_ = {20'000'000, 5'000'000};
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    demote(b_);
    settle();
    EXPECT_THAT(b_.rates_, ElementsAre("20M/5M 8", "none", "20M/5M 8"));
}

TEST_F(PptpCallsTest, AResumedCallsTimeIsChanged) {
    bring_up();
    kill_a();
    age(seconds(60));
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_TRUE(b_.keeper_.change(kRecord, {.session_s = 60, .idle_s = {}}, now_, b_.effects_));
    settle();
    EXPECT_EQ(b_.prepared_, 1) << "its data path continues with what it has";
    const node::TrafficRead read{0, {}};
    b_.keeper_.on_event(node::AccountingEvent(read), now_, b_.effects_);
    pass(milliseconds(50));
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
    EXPECT_EQ(b_.end_cause_, EndCause::session_timeout);
}

TEST_F(PptpCallsTest, APausedCallIsNotEnded) {
    bring_up();
    kill_a();
    age(seconds(1'000'000));
    promote(b_, 2, milliseconds(700));
    settle();
    b_.keeper_.pause(b_.effects_);
    const node::TrafficRead late{0, {}};
    b_.keeper_.on_event(node::AccountingEvent(late), now_, b_.effects_);
    pass(seconds(1));
    EXPECT_THAT(b_.ordered_to_end_, IsEmpty());
    b_.keeper_.unpause(now_, b_.effects_);
    settle();
    b_.keeper_.on_event(node::AccountingEvent(late), now_, b_.effects_);
    settle();
    EXPECT_THAT(b_.ordered_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, AHandoverIsExactAndTheOldNodeIsHotAgain) {
    bring_up();
    a_.numbers_.gre_out = 1234;
    a_.keeper_.read(now_, a_.effects_);
    a_.replica_.hurry_counters();
    settle();
    EXPECT_EQ(a_.keeper_.read_at(), now_);
    EXPECT_EQ(b_.numbers_.gre_out, 1234U);
    demote(a_);
    promote(b_, 2, Duration::zero());
    pass(seconds(1));
    EXPECT_THAT(b_.exact_, ElementsAre(true));
    EXPECT_FALSE(a_.watched_);
    EXPECT_EQ(a_.prepared_, 1);
    EXPECT_EQ(a_.keeper_.sessions({})[0].state, SessionState::hot);
    // And back: what was resumed is prepared anew.
    demote(b_);
    promote(a_, 3, Duration::zero());
    pass(seconds(1));
    EXPECT_THAT(b_.removed_, ElementsAre(kKey));
    EXPECT_EQ(b_.prepared_, 2);
    EXPECT_THAT(a_.resumed_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, NumbersAreReportedAtOnceWhenTheDataPathHasReportedThem) {
    bring_up();
    pass(seconds(1));
    a_.answers_reads_ = false;
    a_.numbers_.mppe_out += 1024;
    const std::vector<pptp::CallState> states{{kKey, a_.numbers_}};
    a_.notify(node::CallsRead{0, states}, now_);
    settle();
    EXPECT_EQ(b_.numbers_.mppe_out, a_.numbers_.mppe_out);
}

TEST_F(PptpCallsTest, NumbersThatComeAfterTheGrantAreNotHeeded) {
    bring_up();
    b_.keeper_.warm({{2, NodeId{2}}, Duration::zero()}, now_, b_.effects_);
    a_.numbers_.gre_out = 4321;
    pass(milliseconds(500));
    EXPECT_EQ(b_.numbers_.gre_out, sample_numbers().gre_out);
}

TEST_F(PptpCallsTest, WhatIsBeingPreparedIsResumedWhenItIs) {
    b_.answers_preparations_ = false;
    bring_up();
    kill_a();
    promote(b_, 2, std::nullopt);
    settle();
    EXPECT_THAT(b_.resumed_, IsEmpty());
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, NumbersAreReadWhenEachCallIsResumed) {
    b_.answers_preparations_ = false;
    bring_up();
    kill_a();
    const TimePoint granted = now_;
    promote(b_, 2, std::nullopt);
    pass(milliseconds(300));
    EXPECT_LT(b_.keeper_.read_at(), granted) << "it is being prepared";
    b_.notify(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    pass(milliseconds(300));
    EXPECT_LT(b_.keeper_.read_at(), granted) << "its client is asked for numbers";
    b_.notify(node::CallResumed{kKey, "rung 0"}, now_);
    pass(milliseconds(300));
    EXPECT_GT(b_.keeper_.read_at(), granted);
}

TEST_F(PptpCallsTest, FinalNumbersAreReadBeforeCallsAreResumed) {
    bring_up();
    demote(a_);
    const TimePoint granted = now_;
    promote(b_, 2, Duration::zero());
    pass(milliseconds(300));
    EXPECT_GT(b_.keeper_.read_at(), granted);
}

TEST_F(PptpCallsTest, APausedNodeIsNotAskedAndContinues) {
    bring_up();
    kill_a();
    promote(b_, 2, std::nullopt);
    settle();
    b_.keeper_.pause(b_.effects_);
    settle();
    EXPECT_EQ(b_.pauses_, 1);
    const int reads = b_.reads_;
    pass(seconds(1));
    EXPECT_EQ(b_.reads_, reads);
    b_.keeper_.unpause(now_, b_.effects_);
    pass(milliseconds(300));
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey, kKey));
    EXPECT_GT(b_.reads_, reads);
}

TEST_F(PptpCallsTest, TheEndOfAStockCallIsTheEndOfItsRecords) {
    bring_up();
    a_.notify(node::PluginDown{1, {}}, now_);
    settle();
    EXPECT_EQ(a_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.removed_, ElementsAre(kKey));
    EXPECT_THAT(b_.keeper_.sessions({}), IsEmpty());
    // Of a call that lives on elsewhere it is nothing.
    bring_up();
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    a_.notify(node::PluginDown{1, {}}, now_);
    settle();
    EXPECT_NE(b_.replica_.store().find(kRecord), nullptr);
}

TEST_F(PptpCallsTest, AResumedCallSendsWhenTheGroupHasItsNumbers) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    pass(milliseconds(300));
    // Nobody has been told of an answer of the client yet.
    ASSERT_THAT(b_.resumed_, ElementsAre(kKey));
    EXPECT_THAT(b_.released_, IsEmpty());
    b_.notify(node::CallResumed{kKey, "rung 0"}, now_);
    b_.run(now_);
    EXPECT_THAT(b_.released_, IsEmpty());
    b_.numbers_.mppe_out += 1024;
    const std::vector<pptp::CallState> states{{kKey, b_.numbers_}};
    b_.notify(node::CallsRead{0, states}, now_);
    b_.run(now_);
    b_.take(b_.replica_.flush(now_), now_);
    b_.run(now_);
    EXPECT_THAT(b_.released_, IsEmpty()) << "it is on its way";
    ASSERT_THAT(b_.sent_, SizeIs(1));
    settle();
    b_.run(now_);
    EXPECT_THAT(b_.released_, ElementsAre(kKey));
    pass(seconds(1));
    EXPECT_THAT(b_.released_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ACallThatWaitsDoesSoInTheNextEpochToo) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    b_.notify(node::CallResumed{kKey, "rung 0"}, now_);
    b_.numbers_.mppe_out += 1024;
    const std::vector<pptp::CallState> states{{kKey, b_.numbers_}};
    b_.notify(node::CallsRead{0, states}, now_);
    // Its lease has lapsed; it claims anew.
    b_.keeper_.pause(b_.effects_);
    b_.sent_.clear();
    promote(b_, 3, milliseconds(700));
    b_.keeper_.unpause(now_, b_.effects_);
    pass(milliseconds(300));
    EXPECT_THAT(b_.released_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ANewCallWithTheAddressAndIdOfALivingOneIsEnded) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    ASSERT_THAT(b_.resumed_, ElementsAre(kKey));
    // From behind the same NAT, and from elsewhere.
    const auto dial = [this](PluginToken plugin, auto change) {
        pptp::CallRecord record = sample_call();
        ++record.key.peer.port;
        change(record.key);
        const node::PluginSession call =
            node::stock_session(node::StockCall{record, sample_numbers()});
        b_.notify(node::PluginUp{plugin, call, {}, kNoReply}, now_);
        settle();
    };
    dial(1, [](CallKey&) {});
    EXPECT_THAT(b_.answers_, ElementsAre(false));
    EXPECT_THAT(b_.ended_plugins_, ElementsAre(1));
    EXPECT_THAT(b_.keeper_.sessions({}), SizeIs(1));
    dial(2, [](CallKey& key) { key.peer_id = {}; });
    EXPECT_THAT(b_.ended_plugins_, ElementsAre(1, 2));
    b_.notify(node::PluginDown{1, {}}, now_);
    settle();
    EXPECT_NE(b_.replica_.store().find(kRecord), nullptr);
    dial(3, [](CallKey& key) { key.id.value += 128; });
    dial(4, [](CallKey& key) { key.peer.address.value += 1; });
    EXPECT_THAT(b_.ended_plugins_, ElementsAre(1, 2));
    EXPECT_THAT(b_.keeper_.sessions({}), SizeIs(3));
    // Of the living one itself vpnhad may be told again.
    dial(5, [](CallKey& key) { key = kKey; });
    EXPECT_THAT(b_.ended_plugins_, ElementsAre(1, 2));
}

TEST_F(PptpCallsTest, ADetachedNodeHasNothingPrepared) {
    bring_up();
    b_.keeper_.detach(b_.effects_);
    settle();
    EXPECT_THAT(b_.removed_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, WithoutCallsAReadingIsDoneAtOnce) {
    a_.keeper_.read(now_, a_.effects_);
    EXPECT_EQ(a_.keeper_.read_at(), now_);
    EXPECT_EQ(a_.reads_, 0);
    // One that the data path does not answer is repeated.
    a_.answers_reads_ = false;
    bring_up();
    pass(seconds(3));
    EXPECT_THAT(a_.reads_, ::testing::AllOf(::testing::Ge(2), ::testing::Le(4)));
}

TEST_F(PptpCallsTest, ARecordThatCannotBeReadIsSetAside) {
    const auto publish = [&](const wire::RecordKey& key, const Bytes& payload) {
        ASSERT_TRUE(a_.replica_.publish(key, payload));
        settle();
    };
    publish(kRecord, Bytes{9, 9});
    EXPECT_EQ(b_.replica_.quarantined(), 1U);
    EXPECT_EQ(b_.prepared_, 0);
}

}  // namespace pptp_calls_test
}  // namespace vpnha::keepers
