// SPDX-License-Identifier: GPL-2.0-or-later
// The names of the daemon's timers on its loop, and the pauses of senders to a group.
#pragma once

#include "base/time.hpp"

namespace vpnha::runtime {

// Corosync's flow control lasts while a token goes round: a few hundred microseconds to
// milliseconds.
inline constexpr Duration kGroupRetry = std::chrono::milliseconds(2);
// Never in a tight loop: due work that is impossible now (flow control) is retried.
inline constexpr Duration kTurnPause = std::chrono::milliseconds(1);

inline constexpr int kNodeTimer = 1;         // The node's next deadline.
inline constexpr int kGroupTimer = 2;        // Flow control: try the group again.
inline constexpr int kScoreTimer = 3;        // A promotion score that could not be written.
inline constexpr int kEndTimer = 4;          // The loop ends at its next turn.
inline constexpr int kInstallTimer = 5;      // The next slice of sessions to install.
inline constexpr int kSetupTimer = 6;        // Items to compare with other nodes are read again.
inline constexpr int kAuditTimer = 7;        // The kernel's listing failed: tried again.
inline constexpr int kNodesTimer = 8;        // Corosync's list of nodes has changed.
inline constexpr int kFlowTimer = 10;        // The next slice of flows to install, remove, change.
inline constexpr int kFlowReadTimer = 11;    // The next burst of events of flows.
inline constexpr int kFlowOpenTimer = 12;    // Events could not be subscribed to: tried again.
inline constexpr int kFlowListTimer = 13;    // A listing of flows could not begin: reported.
inline constexpr int kRefreshTimer = 14;     // Pacemaker is to write all scores again.
inline constexpr int kAddressTimer = 15;     // Addresses that could not be brought back.
inline constexpr int kGateTimer = 16;        // A gate that could not be attached.
inline constexpr int kGateTurnTimer = 17;    // The next device that is new or has changed.
inline constexpr int kGateCheckTimer = 18;   // Whether the gate is still the first program.
inline constexpr int kCharonLookTimer = 19;  // Whether charon is there.
inline constexpr int kCharonFeedTimer = 20;  // The next messages for charon.
inline constexpr int kCharonTurnTimer = 21;  // charon has not confirmed its turn yet.
inline constexpr int kSaTimer = 22;          // No thread was available for the ESP SAs.
inline constexpr int kCallTimer = 23;        // Changed numbers of PPTP calls: reported.
inline constexpr int kCallSettleTimer = 24;  // All that was captured of PPTP calls has been read.
inline constexpr int kCallOpenTimer = 25;    // PPTP calls could not be watched: tried again.
inline constexpr int kCallRefuseTimer = 26;  // PPTP calls that cannot be prepared: reported.
inline constexpr int kPortMapTimer = 27;     // Whether the map of L2TP's ports is there.
inline constexpr int kLoadTimer = 28;        // The load of the node is read again.
inline constexpr int kScriptTimer = 29;      // Scripts are waited for no longer.
inline constexpr int kProxyTimer = 30;       // The next of the addresses answered for.
inline constexpr int kRoutingTimer = 31;     // Conflicts over tables and preferences.
inline constexpr int kViewTimer = 32;        // The next slice of a view of all sessions.
inline constexpr int kHoldTimer = 33;        // Direct packets to a new node may continue.
inline constexpr int kBandwidthTimer = 34;   // The next of the sessions that have a rate.
inline constexpr int kWatchdogTimer = 35;    // The next sign of life for systemd.
inline constexpr int kBackendTimer = 100;    // The first of protocols/backends.hpp's first one.

inline constexpr int kTimersOfABackend = 4;

}  // namespace vpnha::runtime
