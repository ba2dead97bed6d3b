// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/tracker.hpp"

#include <algorithm>
#include <utility>

#include "services/flows/model/standby.hpp"

namespace vpnha::conntrack {

namespace {

bool is_whole(const News& news) {
    return news.kind == News::Kind::listed || news.kind == News::Kind::found;
}

// An event leaves out the fields that have not changed.
void keep_unnamed(const Flow& before, Flow& flow) {
    const auto keep = [](auto& field, const auto& old) {
        if (!field) {
            field = old;
        }
    };
    keep(flow.tcp, before.tcp);
    keep(flow.labels, before.labels);
    keep(flow.parent, before.parent);
    keep(flow.adjusted[0], before.adjusted[0]);
    keep(flow.adjusted[1], before.adjusted[1]);
}

// The kernel reports the remaining time, while a record has the flow's lifetime without packets. A
// connection with unacknowledged data has five minutes, whatever it has afterwards.
void take_timeout(const News& news, const std::optional<Flow>& before, Flow& flow) {
    constexpr std::uint32_t kUnacknowledgedSeconds = 300;
    const bool whole = is_whole(news);
    if (!is_established(flow)) {
        if (whole && before) {
            flow.timeout_s = before->timeout_s;
        }
    } else if (whole || flow.timeout_s <= kUnacknowledgedSeconds) {
        flow.timeout_s = before && is_established(*before)
                             ? before->timeout_s
                             : std::max(flow.timeout_s, usual_timeout_s(flow));
    }
}

}  // namespace

Decision Tracker::on_news(const News& news, TimePoint now) {
    const FlowId id = encode_key(news.flow.key);
    if (news.kind == News::Kind::ended) {
        return on_end(id);  // A held flow is one of ours.
    }
    if (!concerns(policy_, news.flow)) {
        return on_strange(news, id);
    }
    if (listing_ && news.kind == News::Kind::listed &&
        listing_->ended.contains(Hash::of(id.view()))) {
        return {};  // The list is older than the event of its end.
    }
    const ByteView before = known(id);
    Flow flow = news.flow;
    merge(news, before, id, flow);
    const Worth value = worth(policy_, flow);
    const bool listed = is_whole(news);
    const bool awaited = listed && announced_.awaited(flow.key);
    if (value == Worth::none && !awaited && before.empty()) {
        return {};
    }
    const bool needless =
        value == Worth::none && listed && !awaited && !announced_.needed(flow.key);
    Decision decision;
    decision.id = id;
    const bool outdated = is_outdated(news, id);
    if (value == Worth::over || needless) {
        decision.action = Decision::Action::look;
        return outdated ? decision : on_end(id);
    }
    if (listing_) {
        listing_->ended.erase(Hash::of(id.view()));
        listing_->seen.insert(Hash::of(id.view()));
    }
    if (is_incomplete(news, flow, before.empty())) {
        decision.action = Decision::Action::look;
        return decision;
    }
    if (!validate(flow)) {
        return {};
    }
    decision.payload = encode_payload(flow);
    if (outdated && !std::ranges::equal(before, decision.payload.view())) {
        decision.action = Decision::Action::look;
        return decision;
    }
    const auto waiting = held_back_.find(id.view());
    ByteView emitted = before;
    if (waiting != held_back_.end()) {
        if (!awaited) {
            const ByteView payload = decision.payload.view();
            held_back_.at(id.view()).payload.assign(payload.begin(), payload.end());
            return decision;
        }
        held_back_.erase(waiting);
        emitted = held_(id);
    }
    if (std::ranges::equal(emitted, decision.payload.view())) {
        return decision;
    }
    Duration pause = before.empty() && !listed ? policy_.delay : Duration{};
    if (value == Worth::ending && !listed) {
        pause = std::max<Duration>(pause, limits::kFlowEndingPause);
    }
    if (pause > Duration{} && due_.size() < limits::kFlowsHeldBackMax) {
        hold_back(id, decision.payload, now + pause);
        return decision;
    }
    decision.action = Decision::Action::emit;
    return decision;
}

bool Tracker::is_outdated(const News& news, const FlowId& id) {
    if (!listing_) {
        return false;
    }
    const std::uint64_t hash = Hash::of(id.view());
    if (news.kind == News::Kind::listed) {
        return listing_->changed.erase(hash) != 0;
    }
    listing_->changed.insert(hash);
    return false;
}

Decision Tracker::on_strange(const News& news, const FlowId& id) {
    if (known(id).empty()) {
        return {};
    }
    if (!is_outdated(news, id)) {
        return on_end(id);
    }
    Decision decision;
    decision.id = id;
    decision.action = Decision::Action::look;
    return decision;
}

Decision Tracker::on_end(const FlowId& id) {
    held_back_.erase(id.view());
    if (listing_) {
        listing_->seen.erase(Hash::of(id.view()));
        listing_->ended.insert(Hash::of(id.view()));
    }
    Decision decision;
    decision.id = id;
    decision.action = held_(id).empty() ? Decision::Action::none : Decision::Action::erase;
    return decision;
}

ByteView Tracker::known(const FlowId& id) const {
    const auto waiting = held_back_.find(id.view());
    return waiting != held_back_.end() ? ByteView(waiting->second.payload) : held_(id);
}

void Tracker::merge(const News& news, ByteView known, const FlowId& id, Flow& flow) const {
    std::optional<Flow> before;
    if (!known.empty()) {
        if (Result<Flow> held = parse_flow(id.view(), known)) {
            before = std::move(*held);
        }
    }
    if (before && !is_whole(news)) {
        keep_unnamed(*before, flow);
    }
    take_timeout(news, before, flow);
}

bool Tracker::is_incomplete(const News& news, const Flow& flow, bool first) const {
    if (is_whole(news)) {
        return false;
    }
    return (flow.key.protocol == kTcp && !flow.tcp) || (news.expected && !flow.parent) ||
           (news.adjusted && !flow.adjusted[0] && !flow.adjusted[1]) ||
           (policy_.labels && first && !flow.labels);
}

void Tracker::hold_back(const FlowId& id, const FlowPayload& payload, TimePoint due) {
    const ByteView key = id.view();
    const ByteView content = payload.view();
    held_back_.insert_or_assign(Bytes(key.begin(), key.end()),
                                Waiting{Bytes(content.begin(), content.end()), due});
    due_.emplace(due, id);
}

std::vector<Decision> Tracker::on_time(TimePoint now) {
    std::vector<Decision> decisions;
    while (!due_.empty() && due_.begin()->first <= now) {
        const auto [due, id] = *due_.begin();
        due_.erase(due_.begin());
        const auto waiting = held_back_.find(id.view());
        if (waiting == held_back_.end() || waiting->second.due != due) {
            continue;
        }
        Decision decision;
        decision.id = id;
        decision.payload.bytes(waiting->second.payload);
        held_back_.erase(waiting);
        if (!std::ranges::equal(held_(id), decision.payload.view())) {
            decision.action = Decision::Action::emit;
            decisions.push_back(decision);
        }
    }
    return decisions;
}

std::optional<TimePoint> Tracker::next_deadline() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

void Tracker::begin_listing() {
    listing_.emplace();
}

bool Tracker::is_listed(ByteView id) const {
    return listing_ && listing_->seen.contains(Hash::of(id));
}

void Tracker::end_listing() {
    for (auto waiting = held_back_.begin(); waiting != held_back_.end();) {
        waiting = is_listed(waiting->first) ? std::next(waiting) : held_back_.erase(waiting);
    }
    listing_.reset();
}

}  // namespace vpnha::conntrack
