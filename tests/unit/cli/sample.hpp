// SPDX-License-Identifier: GPL-2.0-or-later
// Results as vpnhad gives them.
#pragma once

#include <nlohmann/json.hpp>

namespace vpnha::cli {

inline nlohmann::json sample_status() {
    return nlohmann::json::parse(R"({
        "version": "0.1.0", "node": {"id": 1, "name": "gw1"},
        "restarts": {"count": 2, "death": "signal 9", "votes_only": false},
        "quorate": true, "wire_version": 1,
        "quorum": {"mode": "3 voters", "warning": null,
                   "after_loss": "nothing is needed; a second loss silences the gateways"},
        "encryption": {"on": true, "allowed_off": false, "reason": null},
        "members": [{"id": 1, "name": "gw1", "wire_version": 1, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a1"},
                    {"id": 2, "name": "gw2", "wire_version": 2, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a2"},
                    {"id": 3, "name": "gw3", "wire_version": 1, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a3"}],
        "differences": [],
        "gateways": [{"name": "dialin", "id": 1, "role": "promoted", "epoch": "3.1",
                      "promoted_node": 1, "acting": false, "acting_for": null,
                      "acting_ms": null, "replica": "complete", "standing": "complete",
                      "in_the_way": [], "score": 100,
                      "records": {"count": 2, "count_max": 100000, "unsaid": 0, "tombstones": 1,
                                  "tombstones_max": 16384, "installing": 0,
                                  "waiting_installs": 0, "quarantined": 0, "memory_bytes": 768,
                                  "memory_bytes_max": 125829120},
                      "sessions": {"total": 2, "protected": 2, "resumed": 1, "unprotected": 0,
                                   "hot": 0, "quarantined": 0},
                      "conntrack": {"replicated": true, "flows": 412, "flows_max": 500000,
                                    "expectations": 3,
                                    "installed": 12, "waiting": 0, "held_back": 0, "overruns": 0,
                                    "listings": 1, "over_limit": 0, "refused": 0, "missing": 0,
                                    "stale": 0},
                      "gate": "open",
          "lease": {"phase": "holding", "granted": "3.1", "left_ms": 271, "voters": [1, 2, 3],
                    "remembers": true, "awaited": [], "differing": [],
                    "votes": [{"node": 2, "counts": true, "heard_ms": 31, "answered_ms": 31},
                              {"node": 3, "counts": true, "heard_ms": 12, "answered_ms": null}],
                    "reserve": 1, "saves": true, "fenced": false},
                      "gate_drops": {"in": {"standby": 7, "expired": 0, "ending": 0},
                                     "out": {"standby": 1, "expired": 0, "ending": 0}},
                      "links": {"outside": "good", "inside": "good", "giving_away": false},
                      "standbys": [2, 3],
          "counters": {
            "replica_stale_epoch": 1, "replica_gaps": 2, "replica_digest_mismatch": 3,
            "replica_malformed": 4, "replica_resyncs": 5, "replica_snapshots_sent": 6,
            "replica_over_limit": 7, "replica_unreadable": 8, "replica_refused": 9,
            "replica_discarded": 10, "confirm_timeouts": 11, "sessions_lost": 12,
            "sessions_gone": 13, "links_lost": 14, "given_away": 15, "unanswered": 27,
            "saves_failed": 28, "l2tp_malformed": 16,
            "l2tp_data_unknown": 17, "l2tp_foreign_tunnel": 18, "l2tp_out_of_window": 19,
            "l2tp_duplicates": 20, "l2tp_unexpected": 21, "l2tp_retransmissions": 22,
            "ppp_malformed": 23, "ppp_looped": 24, "ppp_unexpected": 25,
            "ppp_rejects_withheld": 26}}],
        "counters": {
            "messages_malformed": 31, "messages_unsupported": 32, "messages_ignored": 33,
            "unknown_gateway": 34, "plugin_malformed": 35, "control_malformed": 36,
            "lease_sent": 37, "lease_unsent": 38, "lease_received": 39, "lease_forged": 40,
            "lease_malformed": 41, "lease_replayed": 42, "lease_unproven": 46,
            "flow_collisions": 43,
            "flow_without_helper": 44, "flow_without_parent": 45}})");
}

inline nlohmann::json sample_gate() {
    return nlohmann::json::parse(R"({"gateways": [
        {"name": "dialin", "id": 1, "state": "open", "left_ms": 271,
         "covered": ["192.0.2.100/32", "2001:db8::100/128"],
         "drops": {"in": {"standby": {"ip": 0, "arp": 0, "nd": 0},
                          "expired": {"ip": 5, "arp": 0, "nd": 0},
                          "ending": {"ip": 0, "arp": 0, "nd": 0}},
                   "out": {"standby": {"ip": 0, "arp": 0, "nd": 0},
                           "expired": {"ip": 0, "arp": 0, "nd": 0},
                           "ending": {"ip": 2, "arp": 0, "nd": 0}}}},
        {"name": "other", "id": 2, "state": "shut", "left_ms": null,
         "covered": ["192.0.2.101/32"],
         "drops": {"in": {"standby": {"ip": 12, "arp": 3, "nd": 1},
                          "expired": {"ip": 0, "arp": 0, "nd": 0},
                          "ending": {"ip": 0, "arp": 0, "nd": 0}},
                   "out": {"standby": {"ip": 0, "arp": 0, "nd": 0},
                           "expired": {"ip": 0, "arp": 0, "nd": 0},
                           "ending": {"ip": 0, "arp": 0, "nd": 0}}}}],
        "devices": [{"interface": "eth1", "in": "attached", "out": "attached",
                     "before": {"in": [], "out": []}},
                    {"interface": "eth2", "in": "attached", "out": "attached",
                     "before": {"in": [], "out": []}}]})");
}

inline nlohmann::json sample_plan() {
    return nlohmann::json::parse(R"({"gateways": [
        {"name": "dialin", "id": 1, "promoted_node": 1, "without": 1, "stays": false,
         "sessions": 7, "lost": 0,
         "candidates": [{"node": 2, "name": "gw2", "standing": "complete", "known": true,
                         "kept": 7, "lost": 0, "may_be_promoted": true},
                        {"node": 3, "name": "gw3", "standing": "partial", "known": true,
                         "kept": 5, "lost": 2, "may_be_promoted": false}]}]})");
}

inline nlohmann::json sample_sessions() {
    return nlohmann::json::parse(R"({"sessions": [
        {"gateway": "dialin", "protocol": "l2tp", "user": "bob", "peer": "192.0.2.52:1701",
         "tunnel": 5, "peer_tunnel": 6, "session": 7, "peer_session": 8, "address": "10.200.1.11",
         "interface": "ppp1", "state": "unprotected", "owner": 1, "epoch": "3.1",
         "established": "2026-01-01T00:00:00Z"},
        {"gateway": "dialin", "protocol": "l2tp", "user": "alice", "peer": "192.0.2.51:1701",
         "tunnel": 1, "peer_tunnel": 2, "session": 3, "peer_session": 4, "address": "10.200.1.10",
         "interface": "ppp0", "state": "protected", "owner": 1, "epoch": "3.1",
         "established": "2026-01-01T00:00:00Z"}]})");
}

}  // namespace vpnha::cli
