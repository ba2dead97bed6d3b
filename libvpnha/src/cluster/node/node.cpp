// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/node/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

Node::Node(Settings settings)
    : settings_(std::move(settings)), speech_{wire::Dialects(settings_.codecs), 0} {
    speech_.version = speech_.dialects.version_min();
    for (GatewaySettings& gateway : settings_.gateways) {
        gateway.keepers.confirm_wait = settings_.confirm_wait;
        VPNHA_ASSERT(gateway.lease.self.node == settings_.self);
        gateways_.try_emplace(gateway.id, gateway, speech_, settings_.families);
    }
}

const GatewayNode* Node::find(GatewayId gateway) const {
    const auto found = gateways_.find(gateway);
    return found == gateways_.end() ? nullptr : &found->second;
}

std::optional<TimePoint> Node::lost_at(NodeId node) const {
    const auto found = lost_at_.find(node);
    return found == lost_at_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Node::gateways_of(NodeId node) const {
    const auto served = std::count_if(gateways_.begin(), gateways_.end(), [&](const auto& each) {
        const GatewayNode& gateway = each.second;
        const bool is_here = gateway.view().serves() || gateway.view().waits();
        return node == settings_.self ? is_here
                                      : !is_here && gateway.cores().replica.epoch().node == node;
    });
    return static_cast<std::size_t>(served);
}

Effects Node::on_members(const std::set<NodeId>& members, bool quorate, TimePoint now) {
    Effects effects;
    effects.emplace_back(
        Log{LogLevel::info, fmt::format("members event=members list={} quorum={}",
                                        node_list(members), quorate ? "yes" : "no")});
    const auto is_absent = [&members](NodeId node) { return !members.contains(node); };
    std::erase_if(peers_, [&](const auto& peer) { return is_absent(peer.first); });
    std::erase_if(setups_, [&](const auto& setup) { return is_absent(setup.first.first); });
    for (const NodeId node : members_) {
        if (is_absent(node)) {
            lost_at_[node] = now;
        }
    }
    std::erase_if(lost_at_, [&](const auto& lost) { return !is_absent(lost.first); });
    members_ = members;
    quorate_ = quorate;
    // Joiners have not received them.
    last_hello_.reset();
    setups_due_ = true;
    choose_version(effects);
    for (auto& [id, gateway] : gateways_) {
        gateway.on_members(members, quorate, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_process_died(NodeId member, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.reports().on_process_died(member, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_echo(NodeId node, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_echo(node, now);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_group_message(NodeId sender, ByteView bytes, TimePoint now) {
    Effects effects;
    // Only a node that needs records reads them: none of them can end a vpnhad that only votes.
    const bool without_records = sender == settings_.self || !any_attached();
    const Result<wire::Message> message =
        without_records ? speech_.dialects.parse_own(bytes) : speech_.dialects.parse(bytes);
    if (!message) {
        log_dropped(sender, message.error(), effects);
        for (auto& [id, gateway] : gateways_) {
            gateway.on_malformed(sender, now, effects);
        }
        settle(now, effects);
        return effects;
    }
    if (const auto* hello = std::get_if<wire::Hello>(&*message)) {
        on_hello(sender, *hello, effects);
    } else if (const auto* setup = std::get_if<wire::Setup>(&*message)) {
        setups_[{sender, setup->gateway}] = *setup;
        setups_changed_ = true;
    } else if (std::holds_alternative<wire::Extension>(*message)) {
        ++counters_.messages_ignored;
    }
    if (!incompatible().contains(sender)) {
        for (auto& [id, gateway] : gateways_) {
            gateway.on_message(sender, *message, now, effects);
        }
    }
    settle(now, effects);
    return effects;
}

Effects Node::set_group_writable(bool writable, TimePoint now) {
    Effects effects;
    writable_ = writable;
    settle(now, effects);
    return effects;
}

Effects Node::withhold_records(bool withheld, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.withhold_records(withheld);
    }
    settle(now, effects);
    return effects;
}

template <class Event>
Effects Node::notify(GatewayId gateway, TimePoint now, Event event) {
    const auto found = gateways_.find(gateway);
    VPNHA_ASSERT(found != gateways_.end());
    Effects effects;
    event(found->second, effects);
    settle(now, effects);
    return effects;
}

Effects Node::on_lease_message(GatewayId gateway, const lease::Sender& sender,
                               const lease::Message& message, TimePoint now) {
    if (find(gateway) == nullptr) {
        return {};
    }
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_lease_message(sender, message, now, effects);
    });
}

Effects Node::on_lease_saved(GatewayId gateway, std::uint64_t ticket, const Result<void>& result,
                             TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_lease_saved(ticket, result, now, effects);
    });
}

template <class Event>
Effects Node::for_gateway(RequestToken request, GatewayId gateway, TimePoint now, Event event) {
    if (find(gateway) == nullptr) {
        return {AnswerRequest{
            request, fail(Errc::not_found, fmt::format("no gateway with id {}", gateway.value))}};
    }
    return notify(gateway, now, event);
}

Effects Node::attach(RequestToken request, GatewayId gateway, const std::string& resource,
                     TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        if (node.cores().attachment.leaving() && !node.view().may_return()) {
            effects.emplace_back(AnswerRequest{
                request, fail(Errc::busy, fmt::format("gateway {} is being detached; try again",
                                                      node.cores().settings.name))});
            return;
        }
        node.starts().attach(resource, members_, quorate_, now, effects);
        // Introductions that came while nobody was attached: peers do not repeat them.
        const std::set<NodeId> strangers = incompatible();
        for (const auto& [peer, hello] : peers_) {
            if (!strangers.contains(peer)) {
                node.on_message(peer, hello, now, effects);
            }
        }
        effects.emplace_back(AnswerRequest{request, {}});
    });
}

Effects Node::detach(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.detach(request, now, effects);
    });
}

Effects Node::end_stopped(TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.starts().end_stopped(effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::release_leases(TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.starts().release_lease(now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::promote(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.promote(request, now, effects);
    });
}

Effects Node::demote(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.demote(request, now, effects);
    });
}

Effects Node::stop_standing_in(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.stop_standing_in(request, now, effects);
    });
}

Effects Node::on_step_done(GatewayId gateway, takeover::Step step, const Result<void>& result,
                           TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.on_step_done(step, result, now, effects);
    });
}

Effects Node::on_event(GatewayId gateway, const KeeperEvent& event, TimePoint now) {
    return notify(gateway, now,
                  [&](GatewayNode& node, Effects& effects) { node.on_event(event, now, effects); });
}

Effects Node::on_event(const KeeperEvent& event, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_event(event, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::confirm_dead(RequestToken request, NodeId victim, lease::Confirmed by,
                           TimePoint now) {
    Effects effects;
    Result<void> all;
    const bool any_has_it = lease::is_in(voters(), victim);
    for (auto& [id, gateway] : gateways_) {
        // Another gateway's list may no longer have the victim.
        if (any_has_it && !gateway.cores().lease.engine().state().voters.has(victim)) {
            continue;
        }
        if (const Result<void> done = gateway.ask_voters(now, effects,
                                                         [&](GatewayVoters& voters) {
                                                             return voters.confirm_dead(
                                                                 victim, by, now, effects);
                                                         });
            !done) {
            all = done;
        }
    }
    effects.emplace_back(AnswerRequest{request, all});
    settle(now, effects);
    return effects;
}

Effects Node::vote_without(RequestToken request, NodeId node, TimePoint now) {
    Effects effects;
    Result<void> all;
    bool any = false;
    for (auto& [id, gateway] : gateways_) {
        const std::vector<NodeId> awaited = gateway.cores().lease.engine().awaited();
        const bool is_awaited = std::find(awaited.begin(), awaited.end(), node) != awaited.end();
        const Result<void> done =
            is_awaited && node != settings_.self && members_.contains(node) &&
                    !gateway.cores().lease.engine().reported_by(node)
                ? fail(Errc::busy,
                       "its vpnhad is a member of the group, and sends its memory by itself; if it "
                       "does not, the lease's port is blocked between the two nodes")
                : gateway.ask_voters(now, effects, [&](GatewayVoters& voters) {
                      return voters.vote_without(node, now, effects);
                  });
        any = any || done;
        all = done ? all : done;
    }
    // One gateway may have a memory, and another one be new.
    effects.emplace_back(AnswerRequest{request, any ? Result<void>{} : all});
    settle(now, effects);
    return effects;
}

Effects Node::set_voters(const std::vector<NodeId>& voters, TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.ask_voters(now, effects,
                           [&](GatewayVoters& all) { all.configure(voters, now, effects); });
    }
    settle(now, effects);
    return effects;
}

std::vector<NodeId> Node::voters() const {
    std::set<NodeId> all;
    for (const auto& [id, gateway] : gateways_) {
        const std::vector<NodeId> voters = gateway.cores().lease.engine().state().voters.all();
        all.insert(voters.begin(), voters.end());
    }
    return {all.begin(), all.end()};
}

Effects Node::ask_move(GatewayId gateway, const MovePlan& plan, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects&) { node.moves().ask(plan); });
}

Effects Node::drain(RequestToken request, GatewayId gateway,
                    std::optional<std::uint64_t> since_unix_ms, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        effects.emplace_back(
            AnswerRequest{request, node.session_orders().drain(since_unix_ms, now, effects)});
    });
}

Effects Node::end_session(RequestToken request, GatewayId gateway, const wire::RecordKey& session,
                          TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        effects.emplace_back(
            AnswerRequest{request, node.session_orders().end(session, now, effects)});
    });
}

Effects Node::resync(RequestToken request, GatewayId gateway, TimePoint now) {
    return for_gateway(request, gateway, now, [&](GatewayNode& node, Effects& effects) {
        if (!node.cores().attachment.attached() || node.cores().replica.promoted()) {
            effects.emplace_back(AnswerRequest{
                request, fail(Errc::invalid_argument,
                              node.cores().attachment.attached()
                                  ? "the promoted node is the source; resync a standby"
                                  : "this node does not take part in the gateway")});
            return;
        }
        node.resync(now, effects);
        effects.emplace_back(AnswerRequest{request, {}});
    });
}

Effects Node::on_plugin_up(PluginToken plugin, const std::string& gateway,
                           const PluginSession& session, const std::string& not_resumable,
                           TimePoint now, const RadiusReply& radius) {
    Effects effects;
    for (auto& [id, node] : gateways_) {
        if (node.cores().settings.name == gateway) {
            node.on_event(PluginUp{plugin, session, not_resumable, radius}, now, effects);
            settle(now, effects);
            return effects;
        }
    }
    ++counters_.unknown_gateway;
    effects.emplace_back(
        AnswerPlugin{plugin, false, fmt::format("no gateway '{}' in vpnha.toml", gateway)});
    return effects;
}

Effects Node::on_plugin_asks(PluginToken plugin, const std::string& gateway,
                             const std::string& user, TimePoint now) {
    Effects effects;
    for (auto& [id, node] : gateways_) {
        if (node.cores().settings.name == gateway) {
            node.on_event(PluginAsks{plugin, user}, now, effects);
            settle(now, effects);
            return effects;
        }
    }
    // The error is reported when the session is up.
    effects.emplace_back(AnswerAddress{plugin, {}, {}});
    return effects;
}

Effects Node::on_plugin_down(PluginToken plugin, TimePoint now, const PluginEnd& end) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_event(PluginDown{plugin, end}, now, effects);
    }
    settle(now, effects);
    return effects;
}

Effects Node::on_service_died(GatewayId gateway, const std::string& resource, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.reports().on_service_died(resource, settings_.name, effects);
    });
}

Effects Node::on_carrier(GatewayId gateway, LinkSide side, bool carrier, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.links().on_carrier(side, carrier, now, effects);
    });
}

Effects Node::set_routing(GatewayId gateway, std::vector<std::string> conflicts, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects&) {
        node.blockers().set_routing(std::move(conflicts));
    });
}

Effects Node::set_macs(GatewayId gateway, const SideMacs& macs, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects&) { node.links().set_macs(macs); });
}

void Node::set_wall(Duration wall) {
    wall_ = wall;
    for (auto& [id, gateway] : gateways_) {
        gateway.set_wall(wall);
    }
}

Effects Node::announce_again(GatewayId gateway, TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects& effects) {
        node.links().announce_again(now, effects);
    });
}

Effects Node::on_neighbour(GatewayId gateway, LinkSide side, const IpAddress& address,
                           TimePoint now) {
    return notify(gateway, now, [&](GatewayNode& node, Effects&) {
        node.links().on_neighbour(side, address, now);
    });
}

Effects Node::on_probe(GatewayId gateway, TimePoint now) {
    return notify(gateway, now,
                  [](GatewayNode& node, Effects& effects) { node.on_probe(effects); });
}

Effects Node::on_time(TimePoint now) {
    Effects effects;
    for (auto& [id, gateway] : gateways_) {
        gateway.on_time(now, effects);
    }
    settle(now, effects);
    return effects;
}

void Node::settle(TimePoint now, Effects& effects) {
    continue_fencing(now, effects);
    note_holders();
    compare_setups(now, effects);
    for (auto& [id, gateway] : gateways_) {
        gateway.proceed(now, effects);
    }
    if (!writable_ || !members_.contains(settings_.self)) {
        return;
    }
    for (auto& [id, gateway] : gateways_) {
        gateway.flush(now, effects);
    }
    wire::Hello current = hello();
    if (!last_hello_ || !wire::differ_by_sequence_alone(current, *last_hello_)) {
        effects.emplace_back(
            SendToGroup{speech_.dialects.encode(current, speech_.dialects.version_min())});
        last_hello_ = std::move(current);
    }
    if (std::exchange(setups_due_, false)) {
        for (const wire::Setup& setup : settings_.setups) {
            effects.emplace_back(SendToGroup{speech_.encode(setup)});
        }
    }
}

void Node::note_holders() {
    bool are_new = false;
    for (const auto& [id, gateway] : gateways_) {
        const NodeId holder = gateway.cores().replica.epoch().node;
        const auto [known, is_first] = holders_.try_emplace(id, holder);
        are_new |= std::exchange(known->second, holder) != holder || is_first;
    }
    if (!are_new) {
        return;
    }
    for (auto& [id, gateway] : gateways_) {
        gateway.moves().set_busy(StandIn::busy(holders_, id));
    }
}

wire::Hello Node::hello() const {
    wire::Hello hello;
    hello.version_min = speech_.dialects.version_min();
    hello.version_max = speech_.dialects.version_max();
    hello.instance = settings_.instance;
    hello.node_name = settings_.name;
    for (const auto& [id, gateway] : gateways_) {
        if (gateway.cores().attachment.attached()) {
            hello.gateways.push_back(gateway.view().wire_state());
        }
    }
    return hello;
}

std::optional<TimePoint> Node::next_deadline() const {
    std::optional<TimePoint> at;
    for (const auto& [id, gateway] : gateways_) {
        at = earliest(at, gateway.next_deadline());
    }
    for (const Fencing& fencing : fencings_) {
        for (const Waiting& waiting : fencing.waiting) {
            at = earliest(at, waiting.until);
        }
    }
    return fencings_.empty() ? at : earliest(at, fencings_.front().again_at);
}

bool Node::any_attached() const {
    for (const auto& [id, gateway] : gateways_) {
        if (gateway.cores().attachment.attached()) {
            return true;
        }
    }
    return false;
}

}  // namespace vpnha::node
