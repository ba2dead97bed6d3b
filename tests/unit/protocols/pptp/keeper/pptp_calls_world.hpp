// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes with the keeper of PPTP calls, and what their data paths do.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <map>

#include "base/limits.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/work.hpp"
#include "services/accounting/work.hpp"
#include "services/proxies/work.hpp"
#include "services/scripts/work.hpp"
#include "support/sample_call.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::keepers {
namespace pptp_calls_test {

inline const RadiusReply kNoReply;

using pptp::CallKey;
using pptp::CallNumbers;
using pptp::test::sample_call;
using pptp::test::sample_numbers;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline const CallKey kKey = sample_call().key;
inline const wire::RecordKey kRecord{wire::RecordType::pptp_call,
                                     wire::RecordId(pptp::encode_key(kKey))};

inline constexpr std::uint32_t kDevice = 8;

// A node with its data path.
class Place final : public FakeGateway {
  public:
    explicit Place(std::uint32_t node)
        : FakeGateway(GatewayId{1}, NodeId{node}),
          keeper_(*this, {milliseconds(50), 100, true, true}) {}

    using FakeGateway::clock_;
    using FakeGateway::replica_;

    [[nodiscard]] bool is_received() const override { return replica_.promoted() && received_; }
    void install_missing(TimePoint now, Effects&) override {
        take(replica_.install_missing(), now);
    }

    void take(replica::Effects&& from, TimePoint now) {
        carry_out(std::move(from), keeper_, sent_, now, effects_);
    }
    void notify(const node::PptpEvent& event, TimePoint now) {
        keeper_.on_event(effects::KeeperEvent(event), now, effects_);
    }
    void notify(const node::PluginEvent& event, TimePoint now) {
        keeper_.on_event(effects::KeeperEvent(event), now, effects_);
    }
    // What the data path does, and what follows from it.
    void run(TimePoint now) {
        keeper_.on_time(now, effects_);
        keeper_.follow(now, effects_);
        while (!effects_.empty()) {
            for (effects::Effect& effect : std::exchange(effects_, {})) {
                if (auto* work = effects::find<node::PptpWork>(effect)) {
                    std::visit([&](auto& each) { execute(each, now); }, *work);
                } else if (effects::find<node::AccountingWork>(effect) != nullptr) {
                    ++traffic_reads_;
                } else if (auto* script = effects::find<node::ScriptWork>(effect)) {
                    note(*script);
                } else if (auto* proxy = effects::find<node::ProxyWork>(effect)) {
                    proxies_.emplace_back(
                        std::holds_alternative<node::AnswerForClient>(*proxy) ? "answer" : "stop");
                } else if (auto* rate = effects::find<bandwidth::BandwidthWork>(effect)) {
                    note(*rate);
                } else if (auto* answer = std::get_if<effects::AnswerPlugin>(&effect)) {
                    answers_.push_back(answer->is_protected);
                } else if (auto* end = std::get_if<effects::EndPlugin>(&effect)) {
                    ended_plugins_.push_back(end->plugin);
                } else if (auto* change = std::get_if<effects::ChangePlugin>(&effect)) {
                    changed_plugins_[change->plugin] = change->timeouts;
                }
            }
            keeper_.follow(now, effects_);
        }
    }

    void note(const node::ScriptWork& script) {
        if (const auto* const up = std::get_if<node::RunUpScripts>(&script)) {
            scripts_.emplace_back("up");
            script_facts_ = up->facts;
        } else if (const auto* const stock = std::get_if<node::RunStockDownScripts>(&script)) {
            scripts_.push_back(stock->interface + " down");
        } else {
            scripts_.emplace_back("down");
        }
    }
    void note(const bandwidth::BandwidthWork& rate) {
        const auto* const set = std::get_if<bandwidth::SetRate>(&rate);
        rates_.push_back(set == nullptr ? "none"
                                        : to_string(set->rate) + " " +
                                              (set->interface.empty() ? std::to_string(set->device)
                                                                      : set->interface));
    }
    void execute(node::PrepareCall& prepare, TimePoint now) {
        ++prepared_;
        numbers_ = prepare.numbers;
        if (answers_preparations_) {
            notify(node::CallPrepared{prepare.record.key, prepare.ticket, {}, kDevice}, now);
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
        ordered_to_end_.push_back(end.key);
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
        tenures_.push_back(resume.tenure);
    }
    void execute(node::ReleaseCalls& release, TimePoint) {
        released_.insert(released_.end(), release.calls.begin(), release.calls.end());
    }
    void execute(node::PauseCalls&, TimePoint) { ++pauses_; }
    void execute(node::WatchCalls&, TimePoint) { watched_ = true; }
    void execute(node::UnwatchCalls&, TimePoint) { watched_ = false; }
    void execute(node::ReadCalls& read, TimePoint now) {
        ++reads_;
        if (answers_reads_) {
            const std::vector<pptp::CallState> states{{kKey, numbers_}};
            notify(node::CallsRead{read.ticket, states}, now);
        }
    }

    PptpCalls keeper_;
    Effects effects_;
    std::deque<wire::Message> sent_;
    CallNumbers numbers_;
    std::vector<CallKey> resumed_;
    std::vector<bool> exact_;
    std::vector<std::uint8_t> tenures_;
    std::vector<CallKey> released_;
    std::vector<CallKey> removed_;
    std::vector<CallKey> dismissed_;
    std::uint32_t last_sequence_ = 0;  // Of what they were sent.
    std::vector<CallKey> ordered_to_end_;
    EndCause end_cause_{};  // Of the last.
    int traffic_reads_ = 0;
    std::vector<std::string> scripts_;
    std::vector<std::string> proxies_;
    std::vector<std::string> rates_;
    node::ScriptFacts script_facts_;  // Of the last.
    std::vector<PluginToken> ended_plugins_;
    std::map<PluginToken, ppp::Timeouts> changed_plugins_;
    std::vector<bool> answers_;
    int prepared_ = 0;
    int sets_ = 0;
    int pauses_ = 0;
    int reads_ = 0;
    bool watched_ = false;
    bool answers_preparations_ = true;
    bool answers_reads_ = true;
    bool received_ = true;
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
        pptp::CallRecord record = sample_call();
        record.facts.rate = rate_;
        record.facts.interface = "ppp0";
        const node::PluginSession call = node::stock_session(node::StockCall{record, a_.numbers_});
        a_.notify(node::PluginUp{1, call, obstacle, kNoReply}, now_);
        settle();
    }
    void kill_a() {
        dead_ = &a_;
        b_.replica_.on_members({NodeId{2}}, true, now_);
    }
    // The call is so old, by B's clock.
    void age(Duration age) {
        b_.clock_.set_wall(milliseconds(sample_call().facts.established_unix_ms) + age -
                           now_.time_since_epoch());
    }

    TimePoint now_{TimePoint{} + seconds(1000)};
    Place a_{1};
    Place b_{2};
    Place* dead_ = nullptr;
    Rate rate_;  // Of the stock call.
};

}  // namespace pptp_calls_test
}  // namespace vpnha::keepers
