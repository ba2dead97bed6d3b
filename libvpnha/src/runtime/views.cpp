// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/views.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "vpnha/version.hpp"

namespace vpnha::runtime {

namespace {

using nlohmann::json;

std::string_view name_of(wire::Level level) {
    switch (level) {
        case wire::Level::empty:
            return "empty";
        case wire::Level::partial:
            return "partial";
        case wire::Level::complete:
            return "complete";
    }
    return "empty";
}

std::string_view name_of(node::SessionState state) {
    switch (state) {
        case node::SessionState::protected_:
            return "protected";
        case node::SessionState::unprotected:
            return "unprotected";
        case node::SessionState::hot:
            return "hot";
        case node::SessionState::resumed:
            return "resumed";
        case node::SessionState::quarantined:
            return "quarantined";
    }
    return "unprotected";
}

std::string utc(std::uint64_t unix_ms) {
    const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
    tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

json session_counts(const std::vector<node::SessionView>& sessions) {
    json counts{{"total", sessions.size()}, {"protected", 0}, {"resumed", 0}, {"quarantined", 0}};
    const auto count = [&counts](const char* name) {
        counts[name] = counts[name].get<std::uint64_t>() + 1;
    };
    for (const node::SessionView& session : sessions) {
        switch (session.state) {
            // A resumed session that no standby has confirmed is shown as unprotected.
            case node::SessionState::resumed:
                count("resumed");
                count("protected");
                break;
            case node::SessionState::protected_:
                count("protected");
                break;
            case node::SessionState::quarantined:
                count("quarantined");
                break;
            case node::SessionState::hot:
            case node::SessionState::unprotected:
                break;
        }
    }
    return counts;
}

json gateway_view(const node::GatewayNode& gateway, const ports::Gate& gate) {
    const replica::Replica& replica = gateway.replica();
    const char* role = !gateway.attached()                            ? "detached"
                       : gateway.state() == takeover::State::promoted ? "promoted"
                                                                      : "unpromoted";
    json standbys = json::array();
    for (const NodeId node : replica.complete_standbys()) {
        if (node != replica.holder()) {
            standbys.push_back(node.value);
        }
    }
    const auto deadline = gate.deadline(gateway.settings().id);
    json view{{"name", gateway.settings().name},
              {"id", gateway.settings().id.value},
              {"role", role},
              {"epoch", to_string(replica.epoch())},
              {"promoted_node", nullptr},
              {"replica", name_of(replica.level())},
              {"score", gateway.score() ? json(*gateway.score()) : json(nullptr)},
              {"sessions", session_counts(gateway.sessions())},
              {"gate", deadline && *deadline ? "open" : "shut"},
              {"standbys", std::move(standbys)}};
    if (replica.holder()) {
        view["promoted_node"] = replica.holder()->value;
    }
    return view;
}

json counters_view(const node::Node& node, const ports::Gate& gate) {
    std::map<std::string, std::uint64_t> sum{
        {"messages_malformed", node.counters().messages_malformed},
        {"messages_unsupported", node.counters().messages_unsupported},
        {"unknown_gateway", node.counters().unknown_gateway}};
    for (const auto& [id, gateway] : node.gateways()) {
        const replica::Counters& replica = gateway.replica().counters();
        sum["replica_stale_epoch"] += replica.stale_epoch;
        sum["replica_gaps"] += replica.gaps;
        sum["replica_digest_mismatch"] += replica.digest_mismatch;
        sum["replica_snapshots_sent"] += replica.snapshots_sent;
        sum["replica_over_limit"] += replica.over_limit;
        const l2tp::TunnelCounters tunnels = gateway.tunnel_counters();
        sum["l2tp_malformed"] += tunnels.malformed;
        sum["l2tp_data_unknown"] += tunnels.data;
        sum["ppp_malformed"] += tunnels.links.malformed;
        sum["ppp_looped"] += tunnels.links.looped;
        sum["ppp_unexpected"] += tunnels.links.unexpected;
        sum["ppp_rejects_withheld"] += tunnels.links.rejects_withheld;
        sum["l2tp_foreign_tunnel"] += tunnels.foreign_tunnel;
        sum["l2tp_out_of_window"] += tunnels.out_of_window;
        sum["l2tp_duplicates"] += tunnels.duplicates;
        sum["l2tp_unexpected"] += tunnels.unexpected;
        sum["l2tp_retransmissions"] += tunnels.retransmissions;
        if (const auto dropped = gate.counters(id)) {
            sum["gate_dropped_in"] += dropped->dropped_in;
            sum["gate_dropped_out"] += dropped->dropped_out;
        }
    }
    return sum;
}

}  // namespace

json peers_view(const node::Node& node) {
    json members = json::array();
    for (const NodeId member : node.members()) {
        const auto peer = node.peers().find(member);
        const bool known = peer != node.peers().end();
        members.push_back(
            {{"id", member.value},
             {"name", known ? json(peer->second.node_name) : json(nullptr)},
             {"wire_version", known ? json(peer->second.version_max) : json(nullptr)}});
    }
    return members;
}

json status_view(const node::Node& node, const ports::Gate& gate) {
    json gateways = json::array();
    for (const auto& [id, gateway] : node.gateways()) {
        gateways.push_back(gateway_view(gateway, gate));
    }
    return {{"version", version()},
            {"node", {{"id", node.settings().self.value}, {"name", node.settings().name}}},
            {"members", peers_view(node)},
            {"gateways", std::move(gateways)},
            {"counters", counters_view(node, gate)}};
}

json sessions_view(const node::Node& node, const std::string& gateway_name) {
    json list = json::array();
    for (const auto& [id, gateway] : node.gateways()) {
        if (!gateway_name.empty() && gateway.settings().name != gateway_name) {
            continue;
        }
        const auto holder = gateway.replica().holder();
        for (const node::SessionView& session : gateway.sessions()) {
            const l2tp::SessionRecord& record = session.record;
            const l2tp::SessionKey& key = record.key;
            json row{{"gateway", gateway.settings().name},
                     {"protocol", "l2tp"},
                     {"user", record.user},
                     {"peer", to_string(key.tunnel.peer)},
                     {"tunnel", key.tunnel.id.value},
                     {"peer_tunnel", key.tunnel.peer_id.value},
                     {"session", key.id.value},
                     {"peer_session", key.peer_id.value},
                     {"address", to_string(record.peer_address)},
                     {"interface", record.interface},
                     {"state", name_of(session.state)},
                     {"owner", holder ? json(holder->value) : json(nullptr)},
                     {"epoch", to_string(session.epoch)},
                     {"established", utc(record.established_unix_ms)}};
            if (!session.reason.empty()) {
                row["reason"] = session.reason;
            }
            list.push_back(std::move(row));
        }
    }
    return {{"sessions", std::move(list)}};
}

}  // namespace vpnha::runtime
