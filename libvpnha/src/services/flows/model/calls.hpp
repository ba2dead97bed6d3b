// SPDX-License-Identifier: GPL-2.0-or-later
// A call of PPTP that goes through the gateway (not one that ends at it), as records.
//
// A GRE packet of PPTP names one call id, its receiver's. The kernel that saw the call set up adds
// the other one from a list that its helper made (gre_keymap_lookup()), and finds the flow by both.
// Nobody else can write that list, so elsewhere packets have 0 in its place, and the same entry in
// the table is found by neither direction. There two flows do what the one did, each for one
// direction and translating what it must. C and S are the hosts, c and s the call ids at them, V:v
// what the server knows of the client:
//
//   the flow   C:c > S:s, answered S:s > V:v
//   becomes    C:0 > S:s, answered S:s > V:0     the client's packets
//              S:0 > V:v, answered C:c > S:0     the server's
//
// They are records in its place on all nodes, so that what a successor's kernel has of them are the
// same records.
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
// Half a call, as far as its keys tell: not when the call id is 0.
[[nodiscard]] bool is_half_call(const FlowKey& key);
// Between which hosts a control connection and its calls are, without parts: the halves, of which
// one begins at each end, or the control connection. `one`: any of them.
[[nodiscard]] std::array<FlowKey, 2> hosts_of_calls(const Flow& one, std::uint8_t protocol);
// Which of these flows of GRE are halves of the calls between the hosts of `one`, a control
// connection or half a call. Those from a server to the address of several clients are told apart
// by whom they are translated to. One whose call id is 0 looks like other GRE: it is half a call if
// one is lacking, as many as begin at the other end.
[[nodiscard]] std::vector<FlowKey> calls_of(const Flow& one, std::span<const Flow> gre);

}  // namespace vpnha::conntrack
