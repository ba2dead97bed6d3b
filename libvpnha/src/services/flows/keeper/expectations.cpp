// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/keeper/expectations.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "services/flows/keeper/batch.hpp"
#include "services/flows/keeper/flow_keys.hpp"
#include "services/flows/model/flow_record.hpp"
#include "services/flows/work.hpp"

namespace vpnha::keepers {

namespace {

using conntrack::Expectation;
using conntrack::ExpectationNews;
using conntrack::FlowKey;

bool is_same_tuple(const FlowKey& a, const FlowKey& b) {
    return a.protocol == b.protocol && a.original == b.original;
}

}  // namespace

void Expectations::begin(TimePoint now) {
    list_at_ = now + limits::kFlowListingPause;
    look_at_.reset();
}

void Expectations::end(TimePoint now) {
    waiting_.clear();
    ending_.clear();
    list_at_.reset();
    looked_after_ = {};
    look_at_ = now + limits::kFlowHurriedLookPause;  // Live entries of this node are hot now.
}

void Expectations::on_news(std::span<const ExpectationNews> news, TimePoint now, Effects& effects) {
    for (const ExpectationNews& each : news) {
        if (each.kind == ExpectationNews::Kind::ended) {
            on_end(each.expectation, now);
        } else {
            take(each.expectation, now, effects);
            look_at_helped(each.expectation.parent, effects);
        }
    }
    if (!list_at_) {
        list_at_ = now + limits::kExpectationListingPause;
    }
}

void Expectations::look_at_helped(const FlowKey& parent, Effects& effects) const {
    if (const std::optional<FlowKey> held = held_parent(parent)) {
        batch<node::LookUpFlows>(effects, gateway_).flows.push_back(*held);
    }
}

void Expectations::take(const Expectation& expectation, TimePoint now, Effects& effects) {
    if (expectation.key.protocol == conntrack::kGre) {
        return;  // PPTP's: on other nodes no packet would match it.
    }
    if (const std::optional<FlowKey> parent = held_parent(expectation.parent)) {
        waiting_.erase(expectation.key);
        emit(expectation, *parent, effects);
    } else {
        await_parent(expectation, now, effects);
    }
}

void Expectations::emit(Expectation expectation, const FlowKey& parent, Effects& effects) {
    expectation.parent = parent;
    expectation.key.zone = parent.zone;
    if (!conntrack::validate(expectation)) {
        return;
    }
    ending_.erase(expectation.key);
    const std::optional<Expectation> before = held(expectation.key);
    if (is_hot(expectation)) {
        if (!before) {
            batch<node::RemoveExpectations>(effects, gateway_)
                .expectations.push_back(expectation.key);
            return;
        }
        expectation.timeout_s = before->timeout_s;
        batch<node::SetExpectationTimeouts>(effects, gateway_)
            .expectations.push_back({expectation.key, expectation.timeout_s});
    } else if (before) {
        // A lower remaining time is no change; an extension is.
        expectation.timeout_s = std::max(expectation.timeout_s, before->timeout_s);
    }
    if (before != expectation && !replica_.publish(expectation_record_key(expectation.key),
                                                   conntrack::encode_payload(expectation))) {
        ++counters_.over_limit;
    }
    if (before && !is_same_tuple(before->parent, parent)) {
        look_after_parent(before->parent, effects);  // It was kept only because of the record.
    }
}

void Expectations::await_parent(const Expectation& expectation, TimePoint now, Effects& effects) {
    const bool asked = waiting_.contains(expectation.key);
    if (!asked && waiting_.size() >= limits::kExpectationsWaitingMax) {
        return;  // The next listing brings it again.
    }
    Waiting& waiting = waiting_[expectation.key];
    waiting.expectation = expectation;
    if (!asked) {
        waiting.until = now + limits::kExpectationListingPause;
        for (const FlowKey& place : places_of(expectation.parent)) {
            batch<node::LookUpFlows>(effects, gateway_).flows.push_back(place);
        }
    }
}

bool Expectations::is_awaited(const FlowKey& parent) const {
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& each) {
        return is_same_tuple(each.second.expectation.parent, parent);
    });
}

bool Expectations::is_needed(const FlowKey& parent) const {
    const auto all = replica_.store().all(wire::RecordType::expectation);
    return std::any_of(all.begin(), all.end(), [&parent](const auto& each) {
        const auto expectation =
            conntrack::parse_expectation(each.first.id.view(), each.second.payload);
        return expectation && expectation->parent == parent;
    });
}

void Expectations::settle(Effects& effects) {
    for (auto each = waiting_.begin(); each != waiting_.end();) {
        const std::optional<FlowKey> parent = held_parent(each->second.expectation.parent);
        if (parent) {
            emit(each->second.expectation, *parent, effects);
        }
        each = parent ? waiting_.erase(each) : std::next(each);
    }
}

void Expectations::on_end(const Expectation& expectation, TimePoint now) {
    waiting_.erase(expectation.key);
    for (const FlowKey& place : places_of(expectation.key)) {
        const std::optional<Expectation> record = held(place);
        if (record && is_same_tuple(record->parent, expectation.parent)) {
            ending_.try_emplace(place, now + limits::kFlowEndingPause);
        }
    }
}

void Expectations::erase_ended(TimePoint now, Effects& effects) {
    for (auto each = ending_.begin(); each != ending_.end();) {
        if (each->second > now) {
            ++each;
            continue;
        }
        const std::optional<Expectation> record = held(each->first);
        replica_.erase(expectation_record_key(each->first), now);
        if (record) {
            look_after_parent(record->parent, effects);
        }
        each = ending_.erase(each);
    }
}

void Expectations::look_after_parent(const FlowKey& parent, Effects& effects) const {
    if (!is_assured(replica_.store(), parent)) {
        batch<node::LookUpFlows>(effects, gateway_).flows.push_back(parent);
    }
}

void Expectations::on_listed(std::span<const Expectation> table, TimePoint now, Effects& effects) {
    if (!replica_.promoted()) {
        list_at_.reset();
        if (replica_.level() == wire::Level::complete) {
            sweep(table, effects);
        }
        return;
    }
    std::set<FlowKey> there;
    for (const Expectation& each : table) {
        take(each, now, effects);
        for (const FlowKey& place : places_of(each.key)) {
            there.insert(place);
        }
    }
    for (const auto& [key, record] : replica_.store().all(wire::RecordType::expectation)) {
        const auto expected = conntrack::parse_expectation(key.id.view(), record.payload);
        if (expected && (!there.contains(expected->key) || !held_parent(expected->parent))) {
            ending_.try_emplace(expected->key, now + limits::kFlowEndingPause);
        }
    }
    if (table.empty() && replica_.store().size_of(wire::RecordType::expectation) == 0) {
        list_at_.reset();
    }
}

void Expectations::sweep(std::span<const Expectation> table, Effects& effects) {
    left_some_ = false;
    for (const Expectation& each : table) {
        const std::vector<FlowKey> places = places_of(each.key);
        const bool wanted = std::any_of(places.begin(), places.end(), [this](const FlowKey& place) {
            return replica_.store().find(expectation_record_key(place)) != nullptr;
        });
        if (!is_hot(each) || wanted) {
            continue;
        }
        if (!held_parent(each.parent)) {
            left_some_ = true;
            continue;
        }
        for (const FlowKey& place : places) {
            batch<node::RemoveExpectations>(effects, gateway_).expectations.push_back(place);
        }
    }
}

Result<void> Expectations::install(const replica::Install& wanted, TimePoint now,
                                   Effects& effects) {
    VPNHA_TRY(Expectation expectation,
              conntrack::parse_expectation(wanted.key.id.view(), wanted.payload));
    batch<node::InstallExpectations>(effects, gateway_)
        .expectations.push_back({wanted.ticket, std::move(expectation)});
    if (!look_at_) {
        look_at_ = now + limits::kFlowLookPause;
    }
    return {};
}

void Expectations::remove(const wire::RecordKey& key, Effects& effects) const {
    if (const Result<FlowKey> expected = conntrack::parse_key(key.id.view())) {
        batch<node::RemoveExpectations>(effects, gateway_).expectations.push_back(*expected);
    }
}

std::size_t Expectations::on_installed(std::span<const conntrack::Installed> answers,
                                       TimePoint now) {
    std::size_t refused = 0;
    for (const conntrack::Installed& each : answers) {
        refused += each.taken ? 0 : 1;
        replica_.on_installed(expectation_record_key(each.key), each.ticket,
                              each.taken ? replica::Outcome::installed : replica::Outcome::refused,
                              now);
    }
    counters_.refused += refused;
    return refused;
}

void Expectations::on_missing(std::span<const FlowKey> expectations, TimePoint now) {
    if (replica_.promoted() || expectations.empty()) {
        return;
    }
    for (const FlowKey& key : expectations) {
        replica_.on_gone(expectation_record_key(key));
    }
    counters_.missing += expectations.size();
    looked_after_ = {};
    look_at_ = now + limits::kFlowHurriedLookPause;
}

void Expectations::look_after_some(TimePoint now, Effects& effects) {
    std::vector<conntrack::Timeout> there;
    replica::Effects wanted;
    const auto last = replica_.install_some(
        wire::RecordType::expectation, looked_after_, limits::kFlowsPerLook,
        [&there](const wire::RecordKey& key) {
            if (const Result<FlowKey> expected = conntrack::parse_key(key.id.view())) {
                there.push_back({*expected, conntrack::kHotSeconds});
            }
        },
        wanted);
    for (const replica::Effect& each : wanted) {
        static_cast<void>(install(std::get<replica::Install>(each), now, effects));
    }
    if (!there.empty()) {
        effects.emplace_back(node::SetExpectationTimeouts{gateway_, std::move(there)});
    }
    looked_after_ = last.value_or(wire::RecordKey{});
    look_at_ = now + limits::kFlowLookPause;
}

void Expectations::detach(Effects& effects) {
    for (const auto& [key, record] : replica_.store().all(wire::RecordType::expectation)) {
        if (record.hold == replica::Hold::installed || record.hold == replica::Hold::installing) {
            remove(key, effects);
        }
    }
    waiting_.clear();
    ending_.clear();
    list_at_.reset();
    left_some_ = false;
    look_at_.reset();
    looked_after_ = {};
}

void Expectations::on_time(TimePoint now, Effects& effects) {
    if (replica_.promoted()) {
        erase_ended(now, effects);
        std::erase_if(waiting_, [now](const auto& each) { return each.second.until <= now; });
    }
    if (list_at_ && *list_at_ <= now) {
        list_at_ = now + limits::kExpectationListingPause;
        effects.emplace_back(node::ListExpectations{gateway_});
    }
    if (look_at_ && *look_at_ <= now) {
        if (replica_.promoted()) {
            look_at_.reset();
        } else {
            look_after_some(now, effects);
        }
    }
}

std::optional<TimePoint> Expectations::next_deadline() const {
    std::optional<TimePoint> at = earliest(list_at_, look_at_);
    for (const auto& [key, due] : ending_) {
        at = earliest(at, due);
    }
    return at;
}

std::vector<FlowKey> Expectations::places_of(const FlowKey& key) const {
    std::vector<FlowKey> places;
    const auto add = [&](std::uint16_t zone) {
        places.push_back({key.protocol, {zone, conntrack::ZoneScope::both}, key.original});
        if (zone != 0) {
            places.push_back({key.protocol, {zone, conntrack::ZoneScope::original}, key.original});
        }
    };
    if (policy_.zones.empty()) {
        add(0);
    }
    std::for_each(policy_.zones.begin(), policy_.zones.end(), add);
    return places;
}

std::optional<FlowKey> Expectations::held_parent(const FlowKey& parent) const {
    for (const FlowKey& place : places_of(parent)) {
        if (replica_.store().find(flow_record_key(place)) != nullptr) {
            return place;
        }
    }
    return std::nullopt;
}

std::optional<Expectation> Expectations::held(const FlowKey& key) const {
    const wire::RecordKey record_id = expectation_record_key(key);
    const replica::StoredRecord* const record = replica_.store().find(record_id);
    if (record == nullptr) {
        return std::nullopt;
    }
    Result<Expectation> parsed = conntrack::parse_expectation(record_id.id.view(), record->payload);
    return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

}  // namespace vpnha::keepers
