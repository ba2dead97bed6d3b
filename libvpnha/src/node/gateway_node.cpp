// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/gateway_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

namespace {

using takeover::Step;

// A process that cannot be killed waits for a disk or a device.
constexpr Duration kResetAgain = std::chrono::seconds(5);
}  // namespace

GatewayNode::GatewayNode(GatewaySettings settings, NodeId self, const Speech& speech,
                         std::span<const keepers::Make> families)
    : settings_(std::move(settings)),
      self_(self),
      speech_(speech),
      replica_(settings_.id, self),
      lease_(settings_.lease, settings_.durable, settings_.started_at),
      stand_in_(settings_.stand_in),
      links_(settings_.links),
      on_disk_(settings_.durable),
      voter_watch_(self, settings_.started_at) {
    for (const keepers::Make make : families) {
        if (auto keeper = make(kept_, settings_.keepers)) {
            keepers_.push_back(std::move(keeper));
        }
    }
}

keepers::Keeper* GatewayNode::keeper_of(wire::RecordType type) const {
    for (const auto& keeper : keepers_) {
        const auto types = keeper->types();
        if (std::find(types.begin(), types.end(), type) != types.end()) {
            return keeper.get();
        }
    }
    return nullptr;
}

std::string GatewayNode::tag() const {
    return fmt::format("gateway={} epoch={}", settings_.name, to_string(replica_.epoch()));
}

void GatewayNode::attach(const std::string& resource, const std::set<NodeId>& members, bool quorate,
                         TimePoint now, Effects& effects) {
    resource_ = resource;
    if (!attached_) {
        attached_ = true;
        replica_.on_members(members, quorate, now);
        effects.emplace_back(Log{Level::info, fmt::format("attached event=attached {}", tag())});
    }
    // Pacemaker forgets transient attributes with the node; a repeated start writes it again.
    score_.forget();
    write_score(now, effects);
}

void GatewayNode::detach(RequestToken request, TimePoint now, Effects& effects) {
    if (!attached_) {
        effects.emplace_back(AnswerRequest{request, {}});
        effects.emplace_back(Detached{settings_.id});
        return;
    }
    detaching_ = true;
    demote(request, now, effects);
}

void GatewayNode::promote(RequestToken request, TimePoint now, Effects& effects) {
    if (waits_ && !detaching_) {
        effects.emplace_back(AnswerRequest{request, {}});
        return;
    }
    if (takeover_.state() == takeover::State::lame) {
        take(lease_.on_time(now), now, effects);  // It may have ended, and its timer not have come.
    }
    const bool serves_unasked = acting() || stand_in_.phase() == StandIn::Phase::confirmed;
    if (serves_unasked && !detaching_ && replica_.quorate()) {
        confirm(request, now, effects);
        return;
    }
    if (!attached_ || detaching_ || takeover_.busy() || resetting_) {
        effects.emplace_back(AnswerRequest{
            request, fail(Errc::busy, fmt::format("gateway {} is {}; try again", settings_.name,
                                                  !attached_   ? "not attached"
                                                  : resetting_ ? "ending its stock services"
                                                               : to_string(takeover_.state())))});
        return;
    }
    if (!replica_.quorate()) {
        effects.emplace_back(AnswerRequest{
            request, fail(Errc::unreachable,
                          fmt::format("gateway {} is not promoted without quorum: another node may "
                                      "serve it where this one cannot see it",
                                      settings_.name))});
        return;
    }
    waiting_requests_.push_back({request, true});
    stand_in_.on_promoted();
    if (takeover_.serves()) {
        take(lease_.promote(now), now, effects);  // Lame no more.
    }
    follow(takeover_.promote(), now, effects);
}

void GatewayNode::demote(RequestToken request, TimePoint now, Effects& effects) {
    waiting_requests_.push_back({request, false});
    stand_in_.undepose();
    score_.expect_withdrawn(now);
    if (takeover_.state() == takeover::State::standing_in) {
        end_standing_in("this node is demoted", now, effects);
        return;
    }
    stand_in_.end();
    const bool lapsed = takeover_.serves() && !lease_.holder().serving();
    follow(takeover_.demote(), now, effects);
    take(lease_.demote(now), now, effects);
    if (lapsed) {
        follow(takeover_.lost(), now, effects);
    } else if (grant_until_) {
        refuse_grant("it was demoted meanwhile", now, effects);
    }
}

void GatewayNode::follow(const takeover::Next& next, TimePoint now, Effects& effects) {
    if (next.finished) {
        finish(next.succeeded, effects);
        return;
    }
    if (!next.step) {
        return;
    }
    switch (*next.step) {
        case Step::grant:
            begin_grant(now, effects);
            return;
        case Step::hear_group:
            hear_group(now, effects);
            return;
        case Step::warm_counters:
            begin_warming(now, effects);
            return;
        case Step::activate_services:
        case Step::deactivate_services:
            begin_turning(now, effects);
            return;
        case Step::mute_sessions:
            if (handing_over_) {
                return;  // The last counters have yet to be said in this epoch.
            }
            [[fallthrough]];
        case Step::claim:
        case Step::resume_sessions:
        case Step::install_hot:
            run_inner_step(*next.step, now, effects);
            return;
        case Step::open_gate:
            gate_wanted_ = true;
            break;
        case Step::shut_gate:
            stand_in_.end();
            gate_wanted_ = false;
            take(lease_.release(now), now, effects);
            break;
        case Step::add_addresses:
        case Step::announce:
        case Step::remove_addresses:
        case Step::reset_services:
            break;
    }
    const bool stands_in = takeover_.state() == takeover::State::standing_in;
    effects.emplace_back(RunStep{settings_.id, *next.step, stands_in ? granted_ : replica_.epoch(),
                                 lease_.holder().state().deadline});
}

void GatewayNode::run_inner_step(Step step, TimePoint now, Effects& effects) {
    Result<void> result;
    switch (step) {
        case Step::claim:
            result = claim(now, effects);
            if (result) {
                on_told(now);
            }
            break;
        case Step::resume_sessions:
            for (const auto& keeper : keepers_) {
                keeper->promote(now, effects);
            }
            break;
        case Step::mute_sessions:
            for (const auto& keeper : keepers_) {
                keeper->mute(effects);
            }
            announcements_.clear();
            if (replica_.promoted()) {
                replica_.end_epoch(now);
            }
            break;
        case Step::install_hot:
            if (!detaching_) {
                take(replica_.install_missing(), now, effects);
            }
            break;
        default:
            VPNHA_ASSERT(false);
    }
    if (!result) {
        failure_ = fmt::format("{}: {}", to_string(step), result.error().detail);
    }
    follow(takeover_.on_step(result.has_value()), now, effects);
}

void GatewayNode::on_step_done(Step step, const Result<void>& result, TimePoint now,
                               Effects& effects) {
    if (!result) {
        effects.emplace_back(Log{Level::error, fmt::format("step {} failed {}: {}", to_string(step),
                                                           tag(), result.error().detail)});
        if (failure_.empty() || step == Step::shut_gate) {
            failure_ = fmt::format("{}: {}", to_string(step), result.error().detail);
        }
    } else if (step == Step::open_gate) {
        effects.emplace_back(
            Log{Level::info, fmt::format("gate opened event=gate-open {}", tag())});
    } else if (step == Step::announce) {
        plan_announcements(now);
    }
    if (step == Step::reset_services) {
        on_services_reset(result.has_value(), now, effects);
        if (std::exchange(resetting_, false)) {
            return;
        }
    }
    follow(takeover_.on_step(result.has_value()), now, effects);
}

void GatewayNode::on_services_reset(bool succeeded, TimePoint now, Effects& effects) {
    reset_again_at_ = succeeded ? std::nullopt : std::optional(now + kResetAgain);
    if (unreset_ && succeeded) {
        effects.emplace_back(
            Log{Level::info, fmt::format("the stock services have ended at last {}", tag())});
    }
    unreset_ = !succeeded;
}

void GatewayNode::finish(bool succeeded, Effects& effects) {
    using Role = std::pair<std::string_view, std::string_view>;
    const takeover::State state = takeover_.state();
    const Role role = acting() ? Role("acting, and the group knows", "event=acting-announced")
                      : state == takeover::State::promoted ? Role("promoted", "event=promoted")
                      : state == takeover::State::lame     ? Role("draining", "event=draining")
                                                           : Role("unpromoted", "event=demoted");
    const auto failed = [&](const WaitingRequest& request) {
        return !result_for(request.promotion, succeeded).has_value();
    };
    if (succeeded && std::none_of(waiting_requests_.begin(), waiting_requests_.end(), failed)) {
        effects.emplace_back(
            Log{Level::info, fmt::format("now {} {} {} sessions={}", role.first, role.second, tag(),
                                         replica_.store().count())});
    }
    if (state == takeover::State::promoted) {
        effects.emplace_back(WatchServices{settings_.id});
    }
    for (const WaitingRequest& request : std::exchange(waiting_requests_, {})) {
        effects.emplace_back(
            AnswerRequest{request.token, result_for(request.promotion, succeeded)});
    }
    failure_.clear();
    if (detaching_ && takeover_.state() == takeover::State::standby) {
        remove_everything(effects);
        effects.emplace_back(Detached{settings_.id});
    }
}

Result<void> GatewayNode::result_for(bool promotion, bool succeeded) const {
    if (succeeded && (!promotion || takeover_.serves())) {
        return {};
    }
    return fail(Errc::system, failure_.empty() ? "the transition was overtaken" : failure_);
}

void GatewayNode::on_probe(Effects& effects) {
    if (const std::optional<int> written = score_.written()) {
        effects.emplace_back(WriteScore{settings_.id, resource_, *written});
    }
}

void GatewayNode::remove_everything(Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->detach(effects);
    }
    replica_ = replica::Replica(settings_.id, self_, replica_.highest_epoch());
    differences_.clear();
    unreset_ = false;
    reset_again_at_.reset();
    attached_ = false;
    detaching_ = false;
    stand_in_.end();
    stand_in_.undepose();
    score_.forget();
}

void GatewayNode::on_members(const std::set<NodeId>& members, bool quorate, TimePoint now,
                             Effects& effects) {
    // Pacemaker is about to decide; a score that changed now would abort its transition.
    if (replica_.epoch().number != 0) {
        score_.freeze();
    } else {
        score_.thaw();
    }
    members_ = members;
    std::erase_if(joined_, [&members](const auto& each) { return !members.contains(each.first); });
    for (const NodeId member : members) {
        joined_.try_emplace(member, now);
    }
    take(lease_.on_members(members, quorate, now), now, effects);
    if (waits_ && grant_until_) {
        grant_until_ = now + settings_.lease.timing.lame;  // Who comes back abstains at first.
    }
    if (attached_) {
        replica_.on_members(members, quorate, now);
        hear_group(now, effects);
        say_barrier(effects);
        on_replica(now, effects);
        watch_holder(now, effects);
    }
}

void GatewayNode::on_message(NodeId sender, const wire::Message& message, TimePoint now,
                             Effects& effects) {
    // Another node may have been granted the lease since, and have heard the group up to before
    // what is confirmed here: that protects nothing. The next epoch is confirmed from its start.
    const lease::Holder& lease = lease_.holder();
    // Its own, from before its promotion, only makes room for the next.
    const bool comes_late = std::holds_alternative<wire::Confirm>(message) && sender != self_ &&
                            replica_.promoted() && (!lease.serving() || lease.lapsed(now));
    if (!attached_ || comes_late) {
        return;
    }
    take(replica_.on_message(sender, message, now), now, effects);
    on_replica(now, effects);
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        member_names_[sender] = hello->node_name;
        holder_watch_.note(sight());
        if (replica_.holder() == sender) {
            score_.thaw();  // The holder serves in the new ring.
        }
        note_acting(sender, now);
        watch_holder(now, effects);
    } else if (const auto* barrier = std::get_if<wire::Barrier>(&message)) {
        on_barrier(sender, *barrier, now, effects);
    }
}

void GatewayNode::on_malformed(NodeId sender, TimePoint now, Effects& effects) {
    if (attached_) {
        take(replica_.on_malformed(sender, now), now, effects);
    }
}

void GatewayNode::resync(TimePoint now, Effects& effects) {
    take(replica_.resync(now), now, effects);
}

void GatewayNode::take(replica::Effects&& from, TimePoint now, Effects& effects) {
    for (replica::Effect& effect : from) {
        if (auto* send = std::get_if<replica::Send>(&effect)) {
            effects.emplace_back(SendToGroup{speech_.encode(send->message)});
        } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
            install(*wanted, now, effects);
        } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
            this->remove(remove->key, effects);
        } else if (auto* superseded = std::get_if<replica::Superseded>(&effect)) {
            if (stand_in_.wanted() && is_promoted()) {
                stand_in_.depose(now);
                // The node that acts tells Pacemaker of a member only: this one may have been none.
                effects.emplace_back(WithdrawScore{settings_.id, resource_, member_names_[self_]});
            }
            effects.emplace_back(
                Log{Level::error, fmt::format("another node claimed epoch {}; this one falls "
                                              "silent event=superseded {}",
                                              to_string(superseded->epoch), tag())});
            follow(takeover_.lost(), now, effects);
        } else if (auto* doubted = std::get_if<replica::Doubted>(&effect)) {
            effects.emplace_back(
                Log{Level::warning, fmt::format("resync requested event=resync {}: "
                                                "{}",
                                                tag(), to_string(doubted->doubt))});
        } else {
            for (const auto& keeper : keepers_) {
                keeper->on_in_sync(now);
            }
            effects.emplace_back(
                Log{Level::info, fmt::format("the replica is complete event=in-sync {} records={}",
                                             tag(), replica_.store().count())});
        }
    }
}

void GatewayNode::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    if (keepers::Keeper* const keeper = keeper_of(wanted.key.type)) {
        keeper->install(wanted, now, effects);
    } else {
        keepers::set_aside(kept_, wanted,
                           fmt::format("record type {} is of a later release; upgrade this node",
                                       static_cast<int>(wanted.key.type)),
                           now, effects);
    }
}

void GatewayNode::remove(const wire::RecordKey& key, Effects& effects) {
    if (keepers::Keeper* const keeper = keeper_of(key.type)) {
        keeper->remove(key, effects);
    }
}

void GatewayNode::on_replica(TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_replica(now, effects);
    }
}

void GatewayNode::on_event(const KeeperEvent& event, TimePoint now, Effects& effects) {
    for (const auto& keeper : keepers_) {
        keeper->on_event(event, now, effects);
    }
}

void GatewayNode::on_time(TimePoint now, Effects& effects) {
    take(lease_.on_time(now), now, effects);
    if (now >= voter_watch_.next_tick()) {
        watch_voters(now, effects);
    }
    if (grant_until_ && now >= *grant_until_) {
        end_grant(now, effects);
    }
    watch_holder(now, effects);
    watch_stand_in(now, effects);
    if (attached_) {
        ask_neighbours(now, effects);
        for (const auto& keeper : keepers_) {
            keeper->on_time(now, effects);
        }
    }
    if (reset_again_at_ && now >= *reset_again_at_ &&
        takeover_.state() == takeover::State::standby) {
        reset_again_at_.reset();
        resetting_ = true;
        effects.emplace_back(RunStep{settings_.id, Step::reset_services, replica_.epoch(), {}});
    }
    if (std::erase_if(announcements_, [now](TimePoint at) { return at <= now; }) != 0) {
        effects.emplace_back(Announce{settings_.id});
    }
}

void GatewayNode::flush(TimePoint now, Effects& effects) {
    // Who is about to leave has nothing more to say.
    if (attached_ && (!detaching_ || takeover_.serves() || handing_over_)) {
        claim_above_members(now, effects);
        for (const auto& keeper : keepers_) {
            keeper->follow(now, effects);
        }
        take(replica_.flush(now), now, effects);
        note_counters();
        watch_links(now, effects);
        watch_own_lease(now, effects);
        write_score(now, effects);
    }
}

std::optional<TimePoint> GatewayNode::next_deadline() const {
    std::optional<TimePoint> at = earliest(lease_.next_deadline(), grant_until_);
    at = earliest(at, voter_watch_.next_tick());
    if (!attached_) {
        return at;
    }
    at = earliest(at, replica_.next_deadline());
    for (const auto& keeper : keepers_) {
        at = earliest(at, keeper->next_deadline());
    }
    for (const TimePoint announcement : announcements_) {
        at = earliest(at, announcement);
    }
    if (takeover_.state() == takeover::State::standby) {
        at = earliest(at, reset_again_at_);
    }
    at = earliest(earliest(at, next_look_at_counters()), links_.next_deadline());
    at = earliest(at, holder_watch_.next_deadline(sight()));
    at = earliest(earliest(at, next_look_at_own_lease()), score_.next_deadline());
    at = earliest(at, stand_in_.next_deadline());
    return earliest(at, stand_in_.due(turn_to_stand_in(), settings_.lease.timing.renew));
}

}  // namespace vpnha::node
