// SPDX-License-Identifier: GPL-2.0-or-later
// Results as vpnhad gives them.
#pragma once

#include <nlohmann/json.hpp>

namespace vpnha::cli {

inline nlohmann::json sample_status() {
    return nlohmann::json::parse(R"({
        "version": "0.1.0", "node": {"id": 1, "name": "gw1"},
        "quorate": true, "wire_version": 1,
        "encryption": {"on": true, "allowed_off": false, "reason": null},
        "members": [{"id": 1, "name": "gw1", "wire_version": 1, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a1"},
                    {"id": 2, "name": "gw2", "wire_version": 2, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a2"},
                    {"id": 3, "name": "gw3", "wire_version": 1, "wire_version_min": 1,
                     "compatible": true, "instance": "00000000000000a3"}],
        "differences": [],
        "gateways": [{"name": "dialin", "id": 1, "role": "promoted", "epoch": "3.1",
                      "promoted_node": 1, "replica": "complete", "standing": "complete",
                      "in_the_way": [], "score": 100,
                      "records": {"count": 2, "count_max": 100000, "unsaid": 0, "tombstones": 1,
                                  "tombstones_max": 16384, "installing": 0,
                                  "waiting_installs": 0, "quarantined": 0, "memory_bytes": 768,
                                  "memory_bytes_max": 125829120},
                      "sessions": {"total": 2, "protected": 2, "resumed": 1, "quarantined": 0},
                      "gate": "open", "standbys": [2, 3]}],
        "counters": {"wire_malformed": 0}})");
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
