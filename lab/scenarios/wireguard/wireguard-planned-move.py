# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node and back, and a WireGuard client goes along.

Purpose: no node has the other one's session keys, so the new one shakes hands with the client as
soon as it serves.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic; the role is banned from its gateway (what an
administrator does before maintenance); then it moves back in the same way. No fault.

Expected: a silence of at most 100 ms at each move, and nothing else; no failure is counted.
"""
from vpnlab.evidence.expectation import is_empty
from vpnlab.steps.promise import expect_planned_move
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    live = begin_wireguard(run)
    first, second = live.active, live.plain_standby
    moves = [live.move_role(target) for target in (second, first)]
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    seen = live.end()
    for calm, moved in moves:
        expect_planned_move(run, seen.client("client1"), calm, moved)
