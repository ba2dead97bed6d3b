// SPDX-License-Identifier: GPL-2.0-or-later
// Calls of PPTP on the promoted node: they live and end with their control connection.
#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "cluster/replica/store.hpp"
#include "services/flows/keeper/batch.hpp"
#include "services/flows/keeper/flow_keys.hpp"
#include "services/flows/keeper/flows.hpp"
#include "services/flows/model/calls.hpp"
#include "services/flows/model/flow_record.hpp"
#include "services/flows/work.hpp"

namespace vpnha::keepers {

namespace {

using conntrack::FlowKey;

// All replicated GRE, in all zones: between the keys of each pair.
std::array<std::pair<FlowKey, FlowKey>, 4> all_gre() {
    constexpr std::uint16_t kLast = std::numeric_limits<std::uint16_t>::max();
    const IpAddress lowest(Ipv4Address{0});
    const IpAddress highest(Ipv4Address{std::numeric_limits<std::uint32_t>::max()});
    const auto pair = [&](std::uint16_t first, std::uint16_t last, conntrack::ZoneScope scope) {
        return std::pair(FlowKey{conntrack::kGre, {first, scope}, {lowest, lowest, 0, 0}},
                         FlowKey{conntrack::kGre, {last, scope}, {highest, highest, kLast, kLast}});
    };
    using conntrack::ZoneScope;
    return {pair(0, 0, ZoneScope::both), pair(1, kLast, ZoneScope::both),
            pair(1, kLast, ZoneScope::original), pair(1, kLast, ZoneScope::reply)};
}

// The flows from one key to the other, both included.
void append_flows(const replica::Store& store, const FlowKey& first, const FlowKey& last,
                  std::vector<conntrack::Flow>& flows) {
    for (const auto& [key, record] : store.range(flow_record_key(first), flow_record_key(last))) {
        if (Result<conntrack::Flow> flow = conntrack::parse_flow(key.id.view(), record.payload)) {
            flows.push_back(std::move(*flow));
        }
    }
}

}  // namespace

void Flows::end_calls(const conntrack::Flow& control, TimePoint now, Effects& effects) {
    if (has_control(control, control.key)) {
        return;  // They may be its calls.
    }
    std::vector<conntrack::Flow> flows;
    for (const FlowKey& hosts : conntrack::hosts_of_calls(control, conntrack::kGre)) {
        std::ranges::move(between(hosts), std::back_inserter(flows));
    }
    for (const FlowKey& call : conntrack::calls_of(control, flows)) {
        replica_.erase(flow_record_key(call), now);
        batch<node::RemoveFlows>(effects, gateway_.id()).flows.push_back(call);
    }
}

bool Flows::has_control(const conntrack::Flow& one, const FlowKey& except) const {
    const auto is_one = [&except](const conntrack::Flow& flow) {
        return conntrack::is_call_control(flow.key) && flow.key != except;
    };
    const auto hosts = conntrack::hosts_of_calls(one, conntrack::kTcp);
    return std::ranges::any_of(
        hosts, [&](const FlowKey& each) { return std::ranges::any_of(between(each), is_one); });
}

// Their control connection ended without an event, or never reached this node. They do not end at
// once: a connection that was picked up halfway has an event within a minute (RFC 2637 3.1.4).
void Flows::end_orphaned_calls(TimePoint now, Effects& effects) {
    std::vector<conntrack::Flow> orphans;
    for (conntrack::Flow& half : gre()) {
        if (conntrack::is_half_call(half.key) && !has_control(half, half.key)) {
            orphans.push_back(std::move(half));
        }
    }
    const std::set<FlowKey> before = std::exchange(orphans_, {});
    for (const conntrack::Flow& half : orphans) {
        if (before.contains(half.key)) {
            end_calls(half, now, effects);
        } else {
            orphans_.insert(half.key);
        }
    }
    orphans_at_ = now + limits::kOrphanedCallPause;
}

std::vector<conntrack::Flow> Flows::between(FlowKey hosts) const {
    constexpr std::uint16_t kLast = std::numeric_limits<std::uint16_t>::max();
    hosts.original.source_part = hosts.original.destination_part = 0;
    const FlowKey first = hosts;
    hosts.original.source_part = hosts.original.destination_part = kLast;
    std::vector<conntrack::Flow> flows;
    append_flows(replica_.store(), first, hosts, flows);
    return flows;
}

std::vector<conntrack::Flow> Flows::gre() const {
    std::vector<conntrack::Flow> flows;
    for (const auto& [first, last] : all_gre()) {
        append_flows(replica_.store(), first, last, flows);
    }
    return flows;
}

// A flow that this node installed as a standby has a fixed timeout, which no packet renews. If it
// saw the call's set-up, it has the call and no halves.
void Flows::renew_calls(TimePoint now, Effects& effects) {
    std::map<std::array<FlowKey, 2>, std::vector<conntrack::Flow>> between_hosts;
    for (conntrack::Flow& flow : gre()) {
        auto hosts = conntrack::hosts_of_calls(flow, conntrack::kGre);
        std::ranges::sort(hosts);
        between_hosts[hosts].push_back(std::move(flow));
    }
    renewed_.clear();
    for (const auto& [hosts, flows] : between_hosts) {
        for (const FlowKey& call : conntrack::calls_of(flows.front(), flows)) {
            renewed_.insert(call);
            batch<node::SetFlowTimeouts>(effects, gateway_.id())
                .flows.push_back({call, conntrack::kHotSeconds});
        }
    }
    renew_at_ = now + limits::kCallRenewalPause;
}

void Flows::forget_calls() {
    orphans_at_.reset();
    orphans_.clear();
    renew_at_.reset();
    renewed_.clear();
}

}  // namespace vpnha::keepers
