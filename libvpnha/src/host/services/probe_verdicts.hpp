// SPDX-License-Identifier: GPL-2.0-or-later
// The verdicts of ocf:vpnha:probe on this node: a file for each resource, an object of JSON with
// `gateway` and `verdict`, which is "alive", "dead" or empty.
#pragma once

namespace vpnha::adapters {

inline constexpr const char* kProbeVerdicts = "/run/vpnha/probe";
// Prefix of the gateway's name: the node attribute with the same value, for Pacemaker's rules.
inline constexpr const char* kProbeMark = "vpnha-probe-";
// The same for the RADIUS servers, which each node queries, for the probes of other nodes.
inline constexpr const char* kRadiusMark = "vpnha-radius-";

}  // namespace vpnha::adapters
