// SPDX-License-Identifier: GPL-2.0-or-later
// A tracker with a map in the place of the gateway's replica, to which its decisions are applied.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "services/flows/model/tracker.hpp"
#include "support/flow_builder.hpp"

namespace vpnha::conntrack {

class ReplicaOfFlows : public ::testing::Test {
  protected:
    using Action = Decision::Action;

    Tracker& tracker(const Policy& policy = {}) {
        tracker_.emplace(policy, [this](const FlowId& id) { return held(id.view()); });
        return *tracker_;
    }
    Action changed(const Flow& flow) { return handle({News::Kind::changed, flow}); }
    Action ended(const Flow& flow) { return handle({News::Kind::ended, flow}); }
    Action listed(const Flow& flow) { return handle({News::Kind::listed, flow}); }
    Action found(const Flow& flow) { return handle({News::Kind::found, flow}); }
    Action handle(const News& news) {
        const Decision decision = tracker_->on_news(news, now_);
        apply(decision);
        return decision.action;
    }
    // What was said at the end of `pause`.
    std::size_t pass(Duration pause) {
        now_ += pause;
        const std::vector<Decision> decisions = tracker_->on_time(now_);
        for (const Decision& decision : decisions) {
            apply(decision);
        }
        return decisions.size();
    }
    void end_listing() {
        std::erase_if(records_,
                      [this](const auto& record) { return !tracker_->is_listed(record.first); });
        tracker_->end_listing();
    }
    // The record of the flow with that key.
    std::optional<Flow> record(const Flow& flow) {
        const FlowId id = encode_key(flow.key);
        const ByteView payload = held(id.view());
        if (payload.empty()) {
            return std::nullopt;
        }
        const Result<Flow> parsed = parse_flow(id.view(), payload);
        EXPECT_TRUE(parsed);
        return parsed ? std::optional(*parsed) : std::nullopt;
    }

    TimePoint now_{std::chrono::hours(1)};
    std::map<Bytes, Bytes> records_;

  private:
    ByteView held(ByteView id) {
        const auto found = records_.find(Bytes(id.begin(), id.end()));
        return found == records_.end() ? ByteView{} : ByteView(found->second);
    }
    void apply(const Decision& decision) {
        const Bytes id(decision.id.view().begin(), decision.id.view().end());
        if (decision.action == Action::emit) {
            records_[id] = Bytes(decision.payload.view().begin(), decision.payload.view().end());
        } else if (decision.action == Action::erase) {
            EXPECT_EQ(records_.erase(id), 1U);
        }
    }

    std::optional<Tracker> tracker_;
};

}  // namespace vpnha::conntrack
