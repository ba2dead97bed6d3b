# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways of two Debian releases serve each other's sessions.

Purpose: while a site goes from Debian 12 to 13, its cluster has nodes of both. Their kernels,
pppds, charons and Pacemakers are of different versions, and a session goes from either to the
other.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server. gw3 is of the
other release. client1 speaks L2TP/IPsec, client2 IKEv2, client3 PPTP.

Steps: gw1 is promoted, and all three dial. The power of gw1 is cut, and gw3 is the only one that
may be promoted; gw1 returns. Then the power of gw3 is cut, and it returns.

Expected: to each client two silences of a takeover, and nothing else.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.clients.every_protocol import CLIENT_NODES, CLIENTS, begin_all
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

OTHER = "gw3"
SCENARIO = Scenario(nodes=CLIENT_NODES, faults=2, vpnha=True, other_release=(OTHER,))


def steps(run: Run) -> None:
    live = begin_all(run, lambda name, _dc: name == "gw1")
    stack = live.stack
    stack.avoid(["gw2"])
    successor = live.cut_power(live.active)
    run.expect("successor", successor.name, equals(OTHER))
    stack.avoid([])
    stack.rejoin(live.active.name)
    stack.wait_protected(len(CLIENTS))
    run.observe(2)
    live.cut_power(successor)
    stack.rejoin(successor.name)
    stack.wait_protected(len(CLIENTS))
    run.observe(2)
    seen = live.end()
    for name in CLIENTS:
        expect_only_silence(run, seen.client(name), TAKEOVER_MS)
