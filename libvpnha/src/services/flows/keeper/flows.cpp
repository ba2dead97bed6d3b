// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/keeper/flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "services/flows/keeper/batch.hpp"
#include "services/flows/keeper/flow_keys.hpp"
#include "services/flows/model/calls.hpp"
#include "services/flows/model/flow_record.hpp"

namespace vpnha::keepers {

namespace {

using conntrack::FlowKey;
using conntrack::News;

// A table that is full refuses each flow.
constexpr Duration kComplaintPause = std::chrono::minutes(1);

wire::RecordKey record_key(ByteView id) {
    return {wire::RecordType::flow, wire::RecordId(id)};
}

}  // namespace

Flows::Flows(Gateway& gateway, FlowSettings settings)
    : gateway_(gateway),
      settings_(std::move(settings)),
      replica_(gateway.replica()),
      expectations_(gateway.id(), settings_.policy, replica_, counters_) {}

void Flows::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    const auto* own = event.get<node::FlowEvent>();
    if (own != nullptr && gateway_.is_attached()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    }
}

void Flows::follow(TimePoint now, Effects& effects) {
    if (!settings_.replicate || replica_.promoted() == tracker_.has_value()) {
        return;
    }
    listing_ = false;
    unlisted_.reset();
    room_at_.reset();
    if (replica_.promoted()) {
        tracker_.emplace(settings_.policy, [this](const conntrack::FlowId& id) {
            const replica::StoredRecord* const held = replica_.store().find(record_key(id.view()));
            return held == nullptr ? ByteView{} : ByteView(held->payload);
        });
        tracker_->heed({[this](const FlowKey& key) { return expectations_.is_awaited(key); },
                        [this](const FlowKey& key) { return expectations_.is_needed(key); }});
        effects.emplace_back(node::WatchFlows{gateway_.id(), settings_.policy});
        list_at_ = now + limits::kFlowListingPause;
        expectations_.begin(now);
        orphans_at_ = now + limits::kOrphanedCallPause;
        renew_at_ = now + limits::kCallRenewalPause;
    } else {
        tracker_.reset();
        forget_calls();
        expectations_.end(now);
        effects.emplace_back(node::UnwatchFlows{gateway_.id()});
        // Live flows of this node are hot now. Those of an earlier vpnhad may still be here.
        hurry(now);
        list_at_ = now + limits::kFlowListingPause;
    }
}

void Flows::handle(const node::FlowNews& received, TimePoint now, Effects& effects) {
    for (const News& each : received.news) {
        if (conntrack::is_call(each)) {
            for (const News& half : conntrack::halves(each)) {
                on_one(half, each.flow.key, now, effects);
            }
        } else {
            on_one(each, each.flow.key, now, effects);
        }
    }
    if (replica_.promoted()) {  // A node that detaches receives events to its end.
        expectations_.settle(effects);
    }
}

void Flows::handle(const node::ExpectationNews& received, TimePoint now, Effects& effects) {
    if (tracker_ && replica_.promoted()) {
        expectations_.on_news(received.news, now, effects);
    }
}

void Flows::handle(const node::ExpectationsListed& listed, TimePoint now, Effects& effects) {
    if (settings_.replicate) {
        expectations_.on_listed(listed.table, now, effects);
    }
}

void Flows::handle(const node::ExpectationsInstalled& installed, TimePoint now, Effects& effects) {
    const std::size_t refused = expectations_.on_installed(installed.answers, now);
    if (refused != 0) {
        complain(fmt::format("the kernel refused {} expectations of helpers; their modules may be "
                             "missing, or their flows event=expectations-refused",
                             refused),
                 now, effects);
    }
}

void Flows::handle(const node::ExpectationsMissing& missing, TimePoint now, Effects&) {
    expectations_.on_missing(missing.expectations, now);
}

void Flows::on_one(const News& news, const FlowKey& entry, TimePoint now, Effects& effects) {
    const bool ended = news.kind == News::Kind::ended;
    if (!replica_.promoted()) {
        if (news.kind == News::Kind::listed && listing_ &&
            replica_.level() == wire::Level::complete) {
            sweep(news, effects);
        }
    } else if (ended && renewed_.erase(news.flow.key) != 0) {
        // It may exist anew: the kernel was asked for that.
        batch<node::LookUpFlows>(effects, gateway_.id()).flows.push_back(news.flow.key);
    } else if (tracker_) {
        const bool hot = !ended && is_hot(news.flow);
        const bool control = conntrack::is_call_control(news.flow.key);
        const conntrack::Flow last = control ? as_held(news.flow) : conntrack::Flow{};
        const conntrack::Decision decision =
            tracker_->on_news(hot ? revive(news, effects) : news, now);
        decide(decision, entry, now, effects);
        // At once, not when its entry leaves the kernel: a successor does not have that entry.
        if (control && (ended || decision.action == conntrack::Decision::Action::erase)) {
            end_calls(last, now, effects);
        }
    }
}

conntrack::Flow Flows::as_held(const conntrack::Flow& flow) const {
    const conntrack::FlowId id = conntrack::encode_key(flow.key);
    const replica::StoredRecord* const held = replica_.store().find(record_key(id.view()));
    return held == nullptr ? flow : conntrack::parse_flow(id.view(), held->payload).value_or(flow);
}

void Flows::decide(const conntrack::Decision& decision, const FlowKey& entry, TimePoint now,
                   Effects& effects) {
    switch (decision.action) {
        case conntrack::Decision::Action::none:
            break;
        case conntrack::Decision::Action::emit:
            emit(decision, now);
            break;
        case conntrack::Decision::Action::erase:
            replica_.erase(record_key(decision.id.view()), now);
            break;
        case conntrack::Decision::Action::look:
            batch<node::LookUpFlows>(effects, gateway_.id()).flows.push_back(entry);
            break;
    }
}

void Flows::emit(const conntrack::Decision& decision, TimePoint now) {
    if (!replica_.publish(record_key(decision.id.view()), decision.payload.view())) {
        ++counters_.over_limit;
        if (!room_at_) {
            room_at_ = now + limits::kFlowRoomPause;
        }
    }
}

void Flows::look_for_room(TimePoint now) {
    if (replica_.store().size_of(wire::Service::tracked) > limits::kFlowsForRoom) {
        room_at_ = now + limits::kFlowRoomPause;
        return;
    }
    room_at_.reset();
    if (!list_at_) {
        // A listing under way may be past them.
        list_at_ = now + limits::kFlowListingPause;
    }
}

News Flows::revive(News news, Effects& effects) const {
    if (!conntrack::concerns(settings_.policy, news.flow)) {
        return news;
    }
    const conntrack::Flow held = as_held(news.flow);
    const std::uint32_t own = is_hot(held) ? conntrack::usual_timeout_s(held) : held.timeout_s;
    news.flow.timeout_s = own;
    if (news.flow.key.protocol != conntrack::kGre) {  // Its timeout is fixed: renew_calls().
        batch<node::SetFlowTimeouts>(effects, gateway_.id()).flows.push_back({news.flow.key, own});
    }
    return news;
}

void Flows::sweep(const News& news, Effects& effects) {
    if (is_hot(news.flow) && conntrack::concerns(settings_.policy, news.flow) &&
        replica_.store().find(flow_record_key(news.flow.key)) == nullptr) {
        ++counters_.stale;
        batch<node::RemoveFlows>(effects, gateway_.id()).flows.push_back(news.flow.key);
    }
}

void Flows::handle(const node::FlowNewsLost&, TimePoint now, Effects&) {
    ++counters_.overruns;
    expectations_.on_lost(now);
    // Lost events may concern flows that a listing under way has passed.
    list_at_ = listing_ ? now + limits::kFlowListingPause : now;
}

void Flows::begin_listing(Effects& effects) {
    ++counters_.listings;
    list_at_.reset();
    room_at_.reset();
    listing_ = true;
    if (tracker_) {
        tracker_->begin_listing();
    }
    effects.emplace_back(node::ListFlows{gateway_.id()});
}

void Flows::handle(const node::FlowsListed& listed, TimePoint now, Effects& effects) {
    if (!listing_ || unlisted_) {
        return;  // Begun in another role.
    }
    if (listed.whole && tracker_ && replica_.promoted()) {
        unlisted_ = Unlisted{};
        erase_some_unlisted(now, effects);
        return;
    }
    listing_ = false;
    if (!listed.whole) {
        list_at_ = now + limits::kFlowListingPause;
    } else {
        expectations_.on_swept(now);
    }
}

void Flows::erase_some_unlisted(TimePoint now, Effects& effects) {
    std::size_t seen = 0;
    std::vector<wire::RecordKey> gone;
    for (const auto& [key, record] : replica_.store().some(wire::RecordType::flow, unlisted_->after,
                                                           limits::kFlowsPerUnlistedTurn)) {
        ++seen;
        unlisted_->after = key;
        // A flow that is being installed gets its turn after the listing.
        if (record.hold != replica::Hold::installing && !tracker_->is_listed(key.id.view())) {
            gone.push_back(key);
        }
    }
    for (const wire::RecordKey& key : gone) {
        replica_.erase(key, now);
    }
    unlisted_->gone += gone.size();
    unlisted_->at = now;
    if (seen == limits::kFlowsPerUnlistedTurn) {
        return;
    }
    effects.emplace_back(effects::Log{
        LogLevel::info,
        fmt::format("flows listed event=flows-listed {} flows={} gone={}", gateway_.tag(),
                    replica_.store().size_of(wire::RecordType::flow), unlisted_->gone)});
    tracker_->end_listing();
    unlisted_.reset();
    listing_ = false;
}

void Flows::handle(const node::FlowsInstalled& installed, TimePoint now, Effects& effects) {
    std::size_t refused = 0;
    for (const conntrack::Installed& each : installed.flows) {
        refused += each.taken ? 0 : 1;
        replica_.on_installed(flow_record_key(each.key), each.ticket,
                              each.taken ? replica::Outcome::installed : replica::Outcome::refused,
                              now);
        if (each.taken && !replica_.promoted() &&
            replica_.store().find(flow_record_key(each.key)) == nullptr) {
            // Erased meanwhile; while this node was promoted, nothing was removed for it.
            batch<node::RemoveFlows>(effects, gateway_.id()).flows.push_back(each.key);
        } else if (replica_.promoted() &&
                   (!each.taken || !is_assured(replica_.store(), each.key))) {
            // The listing after the promotion has waited for it, and is over. An event comes only
            // for an assured flow: without a look another flow would stay hot for a week.
            batch<node::LookUpFlows>(effects, gateway_.id()).flows.push_back(each.key);
        }
    }
    counters_.refused += refused;
    if (refused != 0) {
        complain(fmt::format("the kernel refused {} flows; net.netfilter.nf_conntrack_max may be "
                             "too small event=flows-refused",
                             refused),
                 now, effects);
    }
}

void Flows::handle(const node::FlowsMissing& missing, TimePoint now, Effects& effects) {
    const std::span<const FlowKey> flows = missing.flows;
    if (replica_.promoted() || flows.empty()) {
        return;
    }
    for (const FlowKey& key : flows) {
        replica_.on_gone(flow_record_key(key));
    }
    counters_.missing += flows.size();
    complain(fmt::format("somebody removed {} flows from this node's kernel; they are installed "
                         "again event=flows-missing",
                         flows.size()),
             now, effects);
    hurry(now);
}

void Flows::complain(const std::string& what, TimePoint now, Effects& effects) {
    if (!complained_at_ || now - *complained_at_ >= kComplaintPause) {
        complained_at_ = now;
        effects.emplace_back(
            effects::Log{LogLevel::warning, fmt::format("{} {}", what, gateway_.tag())});
    }
}

void Flows::hurry(TimePoint now) {
    hurried_ = true;
    looked_after_ = {};
    look_at_ = now + limits::kFlowHurriedLookPause;
}

void Flows::look_after_some(TimePoint now, Effects& effects) {
    std::vector<conntrack::Timeout> held;
    replica::Effects wanted;
    const auto last = replica_.install_some(
        wire::RecordType::flow, looked_after_,
        hurried_ ? limits::kFlowsPerHurriedLook : limits::kFlowsPerLook,
        [&held](const wire::RecordKey& key) {
            if (const Result<FlowKey> flow = conntrack::parse_key(key.id.view())) {
                held.push_back({*flow, conntrack::kHotSeconds});
            }
        },
        wanted);
    for (const replica::Effect& each : wanted) {
        install(std::get<replica::Install>(each), now, effects);
    }
    if (!held.empty()) {
        effects.emplace_back(node::SetFlowTimeouts{gateway_.id(), std::move(held)});
    }
    hurried_ = hurried_ && last.has_value();
    looked_after_ = last.value_or(wire::RecordKey{});
    look_at_ = now + (hurried_ ? Duration(limits::kFlowHurriedLookPause)
                               : Duration(limits::kFlowLookPause));
}

void Flows::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    const Result<void> handed_on =
        !settings_.replicate
            ? fail(Errc::unsupported, "replicate = false in this node's vpnha.toml")
        : wanted.key.type == wire::RecordType::expectation
            ? expectations_.install(wanted, now, effects)
            : install_flow(wanted, now, effects);
    if (!handed_on) {
        replica_.on_installed(wanted.key, wanted.ticket, replica::Outcome::unreadable, now);
        complain(fmt::format("a flow was set aside event=flow-set-aside record={}: {}",
                             to_hex(wanted.key.id.view()), handed_on.error().detail),
                 now, effects);
    }
}

Result<void> Flows::install_flow(const replica::Install& wanted, TimePoint now, Effects& effects) {
    VPNHA_TRY(conntrack::Flow flow, conntrack::parse_flow(wanted.key.id.view(), wanted.payload));
    if (!flow.helper.empty()) {
        expectations_.on_parent(now);
    }
    batch<node::InstallFlows>(effects, gateway_.id())
        .flows.push_back({wanted.ticket, std::move(flow)});
    if (!look_at_) {
        look_at_ = now + limits::kFlowLookPause;
    }
    return {};
}

void Flows::remove(const wire::RecordKey& key, Effects& effects) {
    if (settings_.replicate && key.type == wire::RecordType::expectation) {
        expectations_.remove(key, effects);
        return;
    }
    const Result<FlowKey> flow = conntrack::parse_key(key.id.view());
    if (settings_.replicate && flow) {
        batch<node::RemoveFlows>(effects, gateway_.id()).flows.push_back(*flow);
    }
}

void Flows::on_in_sync(TimePoint now) {
    if (settings_.replicate && !replica_.promoted()) {
        list_at_ = now;
    }
}

void Flows::detach(Effects& effects) {
    expectations_.detach(effects);
    for (const auto& [key, record] : replica_.store().all(wire::RecordType::flow)) {
        if (record.hold == replica::Hold::installed || record.hold == replica::Hold::installing) {
            remove(key, effects);
        }
    }
    if (tracker_) {
        effects.emplace_back(node::UnwatchFlows{gateway_.id()});
    }
    tracker_.reset();
    list_at_.reset();
    listing_ = false;
    unlisted_.reset();
    room_at_.reset();
    look_at_.reset();
    looked_after_ = {};
    hurried_ = false;
    forget_calls();
}

void Flows::on_time(TimePoint now, Effects& effects) {
    expectations_.on_time(now, effects);
    if (tracker_ && replica_.promoted()) {
        for (const conntrack::Decision& decision : tracker_->on_time(now)) {
            emit(decision, now);
        }
        if (unlisted_) {
            erase_some_unlisted(now, effects);
        }
        if (room_at_ && *room_at_ <= now) {
            look_for_room(now);
        }
        if (orphans_at_ && *orphans_at_ <= now) {
            end_orphaned_calls(now, effects);
        }
        if (renew_at_ && *renew_at_ <= now) {
            renew_calls(now, effects);
        }
    }
    if (list_at_ && *list_at_ <= now && !listing_) {
        begin_listing(effects);
    }
    if (look_at_ && *look_at_ <= now) {
        if (replica_.promoted()) {
            look_at_.reset();
        } else {
            look_after_some(now, effects);
        }
    }
}

std::optional<TimePoint> Flows::next_deadline() const {
    std::optional<TimePoint> at = listing_ ? std::nullopt : list_at_;
    if (tracker_) {
        at = earliest(at, tracker_->next_deadline());
    }
    if (replica_.promoted()) {
        at = earliest(earliest(at, orphans_at_), room_at_);
        at = earliest(at, renew_at_);
        at = earliest(at, unlisted_ ? std::optional(unlisted_->at) : std::nullopt);
    }
    return earliest(earliest(at, look_at_), expectations_.next_deadline());
}

Status Flows::status(TimePoint) const {
    const replica::Store& store = gateway_.replica().store();
    return {{"conntrack/replicated", settings_.replicate},
            {"conntrack/flows", store.size_of(wire::RecordType::flow)},
            {"conntrack/flows_max", limits::kFlowsPerGatewayMax},
            {"conntrack/expectations", store.size_of(wire::RecordType::expectation)},
            {"conntrack/installed", store.installed_flows()},
            // By the policy.
            {"conntrack/held_back", tracker_ ? tracker_->held_back() : 0U},
            {"conntrack/overruns", counters_.overruns},
            {"conntrack/listings", counters_.listings},
            {"conntrack/over_limit", counters_.over_limit},
            {"conntrack/refused", counters_.refused},
            {"conntrack/missing", counters_.missing},
            {"conntrack/stale", counters_.stale}};
}

Counts Flows::counts() const {
    return {{"flow_overruns", counters_.overruns},     {"flow_listings", counters_.listings},
            {"flow_over_limit", counters_.over_limit}, {"flow_refused", counters_.refused},
            {"flow_missing", counters_.missing},       {"flow_stale", counters_.stale}};
}

}  // namespace vpnha::keepers
