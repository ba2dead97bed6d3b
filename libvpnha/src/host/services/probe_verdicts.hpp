// SPDX-License-Identifier: GPL-2.0-or-later
// Where ocf:vpnha:probe leaves what its probes have come to on this node: a file for each resource,
// an object of JSON with `gateway` and `verdict`, which is "alive", "dead" or empty.
#pragma once

namespace vpnha::adapters {

inline constexpr const char* kProbeVerdicts = "/run/vpnha/probe";
// Before the gateway's name: the attribute of a node that has the same for Pacemaker's rules.
inline constexpr const char* kProbeMark = "vpnha-probe-";
// The same of the RADIUS servers, which each node asks, for the probes of the other nodes.
inline constexpr const char* kRadiusMark = "vpnha-radius-";

}  // namespace vpnha::adapters
