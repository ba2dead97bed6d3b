// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <deque>

#include "base/limits.hpp"
#include "keepers/pptp/calls.hpp"
#include "unit/pptp/sample_call.hpp"

namespace vpnha::keepers {
namespace pptp_calls_test {

const std::vector<Bytes> kNoClasses;

using pptp::CallKey;
using pptp::CallNumbers;
using pptp::test::sample_call;
using pptp::test::sample_numbers;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const CallKey kKey = sample_call().key;
const wire::RecordKey kRecord{wire::RecordType::pptp_call, wire::RecordId(pptp::encode_key(kKey))};

constexpr std::uint32_t kDevice = 8;

// A node with its data path.
class Place final : public Gateway {
  public:
    explicit Place(std::uint32_t node)
        : replica_(GatewayId{1}, NodeId{node}), keeper_(*this, milliseconds(50), 100, true) {}

    [[nodiscard]] GatewayId id() const override { return GatewayId{1}; }
    [[nodiscard]] replica::Replica& replica() override { return replica_; }
    [[nodiscard]] const replica::Replica& replica() const override { return replica_; }
    [[nodiscard]] bool is_attached() const override { return true; }
    [[nodiscard]] bool is_served() const override { return replica_.promoted(); }
    [[nodiscard]] bool is_heard() const override { return replica_.promoted() && heard_; }
    void install_missing(TimePoint now, Effects&) override {
        take(replica_.install_missing(), now);
    }
    void tell_end(const wire::RecordKey&, EndCause, TimePoint) override {}
    [[nodiscard]] std::string tag() const override { return "gateway=fake"; }

    void take(replica::Effects&& from, TimePoint now) {
        for (replica::Effect& effect : from) {
            if (auto* send = std::get_if<replica::Send>(&effect)) {
                sent_.push_back(std::move(send->message));
            } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
                keeper_.install(*wanted, now, effects_);
            } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
                keeper_.remove(remove->key, effects_);
            }
        }
    }
    void tell(const node::PptpEvent& event, TimePoint now) {
        keeper_.on_event(node::KeeperEvent(event), now, effects_);
    }
    void tell(const node::PluginEvent& event, TimePoint now) {
        keeper_.on_event(node::KeeperEvent(event), now, effects_);
    }
    // What the data path does, and what follows from it.
    void run(TimePoint now) {
        keeper_.on_time(now, effects_);
        keeper_.follow(now, effects_);
        while (!effects_.empty()) {
            for (node::Effect& effect : std::exchange(effects_, {})) {
                if (auto* work = std::get_if<node::PptpWork>(&effect)) {
                    std::visit([&](auto& each) { execute(each, now); }, *work);
                } else if (std::holds_alternative<node::AccountingWork>(effect)) {
                    ++traffic_reads_;
                } else if (auto* script = std::get_if<node::ScriptWork>(&effect)) {
                    note(*script);
                } else if (auto* answer = std::get_if<node::AnswerPlugin>(&effect)) {
                    answers_.push_back(answer->is_protected);
                } else if (auto* end = std::get_if<node::EndPlugin>(&effect)) {
                    ended_plugins_.push_back(end->plugin);
                }
            }
            keeper_.follow(now, effects_);
        }
    }

    void note(const node::ScriptWork& script) {
        if (const auto* const up = std::get_if<node::RunUpScripts>(&script)) {
            scripts_.emplace_back("up");
            script_device_ = up->facts.device;
        } else if (const auto* const stock = std::get_if<node::RunStockDownScripts>(&script)) {
            scripts_.push_back(stock->interface + " down");
        } else {
            scripts_.emplace_back("down");
        }
    }
    void execute(node::PrepareCall& prepare, TimePoint now) {
        ++prepared_;
        numbers_ = prepare.numbers;
        if (answers_preparations_) {
            tell(node::CallPrepared{prepare.record.key, prepare.ticket, {}, kDevice}, now);
        } else {
            unanswered_ = prepare.ticket;
        }
    }
    void execute(node::SetCallNumbers& set, TimePoint) {
        ++sets_;
        numbers_ = set.calls.at(0).numbers;
    }
    void execute(node::RemoveCall& remove, TimePoint) { removed_.push_back(remove.key); }
    void execute(node::EndCall& end, TimePoint) {
        told_to_end_.push_back(end.key);
        end_cause_ = end.cause;
    }
    void execute(node::DismissCall& dismiss, TimePoint) {
        EXPECT_TRUE(dismiss.timestamps);
        dismissed_.push_back(dismiss.key);
        last_sequence_ = dismiss.segment.sequence;
    }
    void execute(node::ResumeCalls& resume, TimePoint) {
        resumed_.insert(resumed_.end(), resume.calls.begin(), resume.calls.end());
        exact_.push_back(resume.exact);
    }
    void execute(node::PauseCalls&, TimePoint) { ++pauses_; }
    void execute(node::WatchCalls&, TimePoint) { watched_ = true; }
    void execute(node::UnwatchCalls&, TimePoint) { watched_ = false; }
    void execute(node::ReadCalls& read, TimePoint now) {
        ++reads_;
        if (answers_reads_) {
            const std::vector<pptp::CallState> states{{kKey, numbers_}};
            tell(node::CallsRead{read.ticket, states}, now);
        }
    }

    replica::Replica replica_;
    PptpCalls keeper_;
    Effects effects_;
    std::deque<wire::Message> sent_;
    CallNumbers numbers_;
    std::vector<CallKey> resumed_;
    std::vector<bool> exact_;
    std::vector<CallKey> removed_;
    std::vector<CallKey> dismissed_;
    std::uint32_t last_sequence_ = 0;  // Of what they were sent.
    std::vector<CallKey> told_to_end_;
    EndCause end_cause_{};  // Of the last.
    int traffic_reads_ = 0;
    std::vector<std::string> scripts_;
    std::uint32_t script_device_ = 0;  // Of the last.
    std::vector<node::PluginToken> ended_plugins_;
    std::vector<bool> answers_;
    int prepared_ = 0;
    int sets_ = 0;
    int pauses_ = 0;
    int reads_ = 0;
    bool watched_ = false;
    bool answers_preparations_ = true;
    bool answers_reads_ = true;
    bool heard_ = true;
    std::uint64_t unanswered_ = 0;
};

class PptpCallsTest : public ::testing::Test {
  protected:
    PptpCallsTest() {
        for (Place* const place : {&a_, &b_}) {
            place->replica_.on_members({NodeId{1}, NodeId{2}}, true, now_);
        }
        promote(a_, 1, std::nullopt);
        pass(milliseconds(100));
    }

    void promote(Place& place, std::uint64_t epoch, std::optional<Duration> run_on) {
        const Epoch claimed{epoch, place.replica_.epoch().node};
        place.keeper_.warm({claimed, run_on}, now_, place.effects_);
        place.take(place.replica_.begin_epoch({epoch, &place == &a_ ? NodeId{1} : NodeId{2}}, now_),
                   now_);
        place.keeper_.promote(now_, place.effects_);
    }
    void demote(Place& place) {
        place.keeper_.mute(place.effects_);
        place.replica_.end_epoch(now_);
        place.take(place.replica_.install_missing(), now_);
    }
    // Both hear what is said, in its order.
    void settle() {
        for (bool more = true; more;) {
            more = false;
            for (Place* const place : {&a_, &b_}) {
                if (place == dead_) {
                    continue;
                }
                place->run(now_);
                place->take(place->replica_.flush(now_), now_);
                while (!place->sent_.empty()) {
                    more = true;
                    const wire::Message message = place->sent_.front();
                    place->sent_.pop_front();
                    for (Place* const other : {&a_, &b_}) {
                        if (other != dead_) {
                            other->take(other->replica_.on_message(
                                            place == &a_ ? NodeId{1} : NodeId{2}, message, now_),
                                        now_);
                            other->keeper_.on_replica(now_, other->effects_);
                        }
                    }
                }
            }
        }
    }
    void pass(Duration duration) {
        const TimePoint end = now_ + duration;
        while (now_ < end) {
            now_ += milliseconds(10);
            settle();
        }
    }
    // A stock call comes up at A.
    void bring_up(const std::string& obstacle = {}) {
        a_.numbers_ = sample_numbers();
        const node::PluginSession call = node::PluginCall{sample_call(), a_.numbers_};
        a_.tell(node::PluginUp{1, call, obstacle, kNoClasses}, now_);
        settle();
    }
    void kill_a() {
        dead_ = &a_;
        b_.replica_.on_members({NodeId{2}}, true, now_);
    }

    TimePoint now_{TimePoint{} + seconds(1000)};
    Place a_{1};
    Place b_{2};
    Place* dead_ = nullptr;
};

TEST_F(PptpCallsTest, AStockCallIsPreparedOnAStandbyAtOnce) {
    EXPECT_TRUE(a_.watched_);
    bring_up();
    EXPECT_EQ(b_.prepared_, 1);
    EXPECT_EQ(b_.numbers_, sample_numbers());
    EXPECT_THAT(a_.answers_, ElementsAre(true));
    EXPECT_EQ(a_.prepared_, 0);
    ASSERT_THAT(a_.keeper_.sessions(), SizeIs(1));
    EXPECT_EQ(a_.keeper_.sessions()[0].state, SessionState::protected_);
    ASSERT_THAT(b_.keeper_.sessions(), SizeIs(1));
    EXPECT_EQ(b_.keeper_.sessions()[0].state, SessionState::hot);
    EXPECT_EQ(b_.keeper_.sessions()[0].protocol, "pptp");
}

TEST_F(PptpCallsTest, APppdGoesOnWithoutAStandby) {
    b_.answers_preparations_ = false;
    bring_up();
    EXPECT_THAT(a_.answers_, IsEmpty());
    pass(milliseconds(60));
    EXPECT_THAT(a_.answers_, ElementsAre(false));
    b_.tell(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_EQ(a_.keeper_.sessions()[0].state, SessionState::protected_);
}

TEST_F(PptpCallsTest, WhatCannotBeResumedIsEndedByTheSuccessor) {
    bring_up("its MPPE is not stateless");
    EXPECT_THAT(a_.answers_, ElementsAre(false));
    pass(seconds(1));
    EXPECT_THAT(a_.answers_, SizeIs(1));
    for (Place* const place : {&a_, &b_}) {
        ASSERT_THAT(place->keeper_.sessions(), SizeIs(1));
        EXPECT_EQ(place->keeper_.sessions()[0].state, SessionState::unprotected);
    }
    EXPECT_EQ(a_.keeper_.sessions()[0].reason, "its MPPE is not stateless");
    EXPECT_EQ(b_.prepared_, 1);
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
    EXPECT_EQ(b_.end_cause_, EndCause::lost_service);
    EXPECT_EQ(b_.keeper_.counts().at("sessions_lost"), 1U);
    b_.tell(node::CallEnded{kKey, "it ended", EndCause::lost_service}, now_);
    pass(seconds(1));
    EXPECT_THAT(b_.told_to_end_, SizeIs(1));
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
}

TEST_F(PptpCallsTest, WhatCannotBeResumedIsEndedOnceItIsPrepared) {
    b_.answers_preparations_ = false;
    bring_up("its MPPE is not stateless");
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.told_to_end_, IsEmpty());
    b_.tell(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ACallThatIsNotResumableAnyMoreIsEndedToo) {
    bring_up();
    bring_up("IPv6CP is open");
    EXPECT_THAT(a_.answers_, ElementsAre(true, false));
    EXPECT_EQ(b_.keeper_.sessions()[0].state, SessionState::unprotected);
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, ThoseThatCannotBeResumedAreEndedAtAPace) {
    constexpr int kCalls = 50;
    for (std::uint16_t i = 0; i < kCalls; ++i) {
        pptp::CallRecord record = sample_call();
        record.key.id = pptp::CallId{i};
        const node::PluginSession call = node::PluginCall{record, sample_numbers()};
        a_.tell(node::PluginUp{i, call, "IPv6CP is open", kNoClasses}, now_);
    }
    pass(seconds(1));
    kill_a();
    promote(b_, 2, milliseconds(700));
    pass(milliseconds(200));
    EXPECT_THAT(b_.resumed_, SizeIs(kCalls));
    EXPECT_THAT(b_.told_to_end_.size(), ::testing::AllOf(::testing::Ge(15U), ::testing::Le(21U)));
    pass(milliseconds(500));
    EXPECT_THAT(b_.told_to_end_, SizeIs(kCalls));
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

TEST_F(PptpCallsTest, ATakeoverGoesOnWithWhatIsPrepared) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
    EXPECT_THAT(b_.exact_, ElementsAre(false));
    b_.tell(node::CallResumed{kKey, "rung 0"}, now_);
    EXPECT_EQ(b_.keeper_.sessions()[0].state, SessionState::unprotected);
    EXPECT_EQ(b_.keeper_.counts().at("pptp_resumed"), 1U);
    b_.numbers_.gre_out = 77;
    pass(milliseconds(300));
    const auto* stored = b_.replica_.store().find(
        {wire::RecordType::pptp_numbers, wire::RecordId(pptp::encode_key(kKey))});
    ASSERT_NE(stored, nullptr);
    EXPECT_EQ(pptp::parse_numbers(stored->payload)->gre_out, 77U);
    // Its end is the end of its records.
    b_.tell(node::CallEnded{kKey, "peer sent Call-Clear-Request"}, now_);
    settle();
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.keeper_.sessions(), IsEmpty());
}

TEST_F(PptpCallsTest, ScriptsRunWhereItsPacketsFlowAgainAndWhereItEnds) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_THAT(b_.scripts_, IsEmpty()) << "its client is asked for numbers";
    for (int i = 0; i < 2; ++i) {  // Also after a pause.
        b_.tell(node::CallResumed{kKey, "rung 0"}, now_);
        settle();
        EXPECT_THAT(b_.scripts_, ElementsAre("up"));
        b_.keeper_.pause(b_.effects_);
        b_.keeper_.unpause(now_, b_.effects_);
        settle();
    }
    EXPECT_EQ(b_.script_device_, kDevice);
    b_.tell(node::CallEnded{kKey, "peer sent Call-Clear-Request"}, now_);
    settle();
    EXPECT_THAT(b_.scripts_, ElementsAre("up", "down"));
    EXPECT_THAT(a_.scripts_, IsEmpty()) << "its pppd runs them";
}

TEST_F(PptpCallsTest, ScriptsRunWhereACallIsGivenAway) {
    bring_up();
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    b_.tell(node::CallResumed{kKey, "exact"}, now_);
    pass(seconds(1));
    EXPECT_THAT(b_.scripts_, ElementsAre("up"));
    EXPECT_THAT(a_.scripts_, ElementsAre(sample_call().interface + " down"));
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
    EXPECT_THAT(a_.told_to_end_, IsEmpty());
    EXPECT_FALSE(b_.keeper_.end(kRecord, now_, b_.effects_));
}

TEST_F(PptpCallsTest, AnOperatorEndsAResumedCallByTheDataPath) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_TRUE(b_.keeper_.end(kRecord, now_, b_.effects_));
    settle();
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
    EXPECT_THAT(b_.ended_plugins_, IsEmpty());
}

TEST_F(PptpCallsTest, AResumedCallEndsWhenItsSessionTimeoutIsOver) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    EXPECT_EQ(b_.traffic_reads_, 1);
    const pptp::CallRecord call = sample_call();
    const std::uint64_t left_ms = 3000;
    const node::TrafficRead read{
        0, call.established_unix_ms + 1000ULL * call.timeouts.session_s - left_ms, {}};
    b_.keeper_.on_event(node::AccountingEvent(read), now_, b_.effects_);
    pass(milliseconds(2980));
    EXPECT_THAT(b_.told_to_end_, IsEmpty());
    pass(milliseconds(50));
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
    EXPECT_EQ(b_.end_cause_, EndCause::session_timeout);
    // While it is stock its pppd ends it.
    EXPECT_EQ(a_.traffic_reads_, 0);
}

TEST_F(PptpCallsTest, APausedCallIsNotEnded) {
    bring_up();
    kill_a();
    promote(b_, 2, milliseconds(700));
    settle();
    b_.keeper_.pause(b_.effects_);
    const node::TrafficRead late{0, sample_call().established_unix_ms * 2, {}};
    b_.keeper_.on_event(node::AccountingEvent(late), now_, b_.effects_);
    pass(seconds(1));
    EXPECT_THAT(b_.told_to_end_, IsEmpty());
    b_.keeper_.unpause(now_, b_.effects_);
    settle();
    b_.keeper_.on_event(node::AccountingEvent(late), now_, b_.effects_);
    settle();
    EXPECT_THAT(b_.told_to_end_, ElementsAre(kKey));
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
    EXPECT_EQ(a_.keeper_.sessions()[0].state, SessionState::hot);
    // And back: what was resumed is prepared anew.
    demote(b_);
    promote(a_, 3, Duration::zero());
    pass(seconds(1));
    EXPECT_THAT(b_.removed_, ElementsAre(kKey));
    EXPECT_EQ(b_.prepared_, 2);
    EXPECT_THAT(a_.resumed_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, NumbersAreSaidAtOnceWhenTheDataPathHasToldThem) {
    bring_up();
    pass(seconds(1));
    a_.answers_reads_ = false;
    a_.numbers_.mppe_out += 1024;
    const std::vector<pptp::CallState> states{{kKey, a_.numbers_}};
    a_.tell(node::CallsRead{0, states}, now_);
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
    b_.tell(node::CallPrepared{kKey, b_.unanswered_, {}}, now_);
    settle();
    EXPECT_THAT(b_.resumed_, ElementsAre(kKey));
}

TEST_F(PptpCallsTest, WhatCouldNotBePreparedIsGivenUpAtAPromotion) {
    b_.answers_preparations_ = false;
    bring_up();
    b_.tell(node::CallPrepared{kKey, b_.unanswered_, fail(Errc::limit, "no TUN device")}, now_);
    settle();
    EXPECT_EQ(b_.keeper_.sessions()[0].state, SessionState::quarantined);
    EXPECT_EQ(a_.keeper_.sessions()[0].state, SessionState::unprotected);
    kill_a();
    promote(b_, 2, std::nullopt);
    settle();
    EXPECT_EQ(b_.keeper_.counts().at("sessions_lost"), 1U);
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.dismissed_, ElementsAre(kKey));
    EXPECT_EQ(b_.last_sequence_, sample_numbers().snd_nxt - 1);  // An old one is answered.
}

TEST_F(PptpCallsTest, WhatCouldNotBePreparedIsGivenUpOnceTheNodeMaySpeak) {
    b_.answers_preparations_ = false;
    bring_up();
    kill_a();
    promote(b_, 2, std::nullopt);
    b_.keeper_.pause(b_.effects_);
    b_.heard_ = false;
    b_.tell(node::CallPrepared{kKey, b_.unanswered_, fail(Errc::limit, "no TUN device")}, now_);
    settle();
    EXPECT_THAT(b_.dismissed_, IsEmpty());
    EXPECT_NE(b_.replica_.store().find(kRecord), nullptr);
    b_.heard_ = true;
    b_.keeper_.unpause(now_, b_.effects_);
    settle();
    EXPECT_THAT(b_.dismissed_, ElementsAre(kKey));
    EXPECT_EQ(b_.replica_.store().find(kRecord), nullptr);
}

TEST_F(PptpCallsTest, APausedNodeIsNotAskedAndGoesOn) {
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
    a_.tell(node::PluginDown{1, {}}, now_);
    settle();
    EXPECT_EQ(a_.replica_.store().find(kRecord), nullptr);
    EXPECT_THAT(b_.removed_, ElementsAre(kKey));
    EXPECT_THAT(b_.keeper_.sessions(), IsEmpty());
    // Of a call that lives on elsewhere it is nothing.
    bring_up();
    demote(a_);
    promote(b_, 2, Duration::zero());
    settle();
    a_.tell(node::PluginDown{1, {}}, now_);
    settle();
    EXPECT_NE(b_.replica_.store().find(kRecord), nullptr);
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
