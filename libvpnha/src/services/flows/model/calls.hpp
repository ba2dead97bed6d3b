// SPDX-License-Identifier: GPL-2.0-or-later
// A call of PPTP that passes through the gateway (not one that ends at it), as records.
//
// A GRE packet of PPTP names one call id, its receiver's. The kernel that saw the call's set-up
// adds the other one from a list that its helper made (gre_keymap_lookup()), and finds the flow by
// both. Nobody else can write that list. So on other nodes packets have 0 in its place, and the
// same entry matches neither direction. There two flows take the place of the one, each for one
// direction with its translation. C and S are the hosts, c and s the call ids at them, V:v the
// client as the server knows it:
//
//   the flow   C:c > S:s, answered S:s > V:v
//   becomes    C:0 > S:s, answered S:s > V:0     the client's packets
//              S:0 > V:v, answered C:c > S:0     the server's
//
// All nodes have these records in its place, so
// a successor's kernel yields the same records.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "services/flows/model/tracker.hpp"

namespace vpnha::conntrack {

// GRE that a helper expected. The halves are not: they have no parent.
[[nodiscard]] bool is_call(const News& news);
[[nodiscard]] std::array<News, 2> halves(const News& call);

// PPTP's control connection, whose end is the end of its calls: no packet keeps a half alive, and
// none ends it.
[[nodiscard]] bool is_call_control(const FlowKey& key);
// Half a call, as far as its keys show: not when the call id is 0.
[[nodiscard]] bool is_half_call(const FlowKey& key);
// The hosts of a control connection and its calls, without parts: of the halves, one of which
// begins at each end, or of the control connection. `one`: any of them.
[[nodiscard]] std::array<FlowKey, 2> hosts_of_calls(const Flow& one, std::uint8_t protocol);
// The flows of GRE that are halves of the calls between the hosts of `one`, a control connection or
// half a call. Their translations distinguish those from a server to one address of several
// clients. A flow with call id 0 looks like other GRE: it counts as half a call if one is missing,
// as many as begin at the other end.
[[nodiscard]] std::vector<FlowKey> calls_of(const Flow& one, std::span<const Flow> gre);

}  // namespace vpnha::conntrack
