# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node, and the sessions of IPsec move with it.

Purpose: a demotion makes charon passive and kills nothing: the demoted node is a standby in sync
at once, and IKE sends nothing of the move to anybody.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic; the role is banned from its gateway (what an administrator does
before maintenance); then it moves back in the same way. No fault.

Expected: a silence of at most 100 ms at each move and nothing else; the same charon runs on all
nodes throughout; no failure is counted.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.steps.ipsec.live import CHARON, CLIENTS, IPSEC_NODES, begin_ipsec
from vpnlab.steps.promise import expect_planned_move
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, vpnha=True)


def steps(run: Run) -> None:
    live = begin_ipsec(run)
    charons = pids(run)
    moves = [live.move_role(target) for target in (live.plain_standby, live.active)]
    run.expect("charons", pids(run), equals(charons))
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    seen = live.end()
    for name in CLIENTS:
        for calm, moved in moves:
            expect_planned_move(run, seen.client(name), calm, moved)


def pids(run: Run) -> list[list[str]]:
    return [node.running(CHARON) for node in run.lab.gateways]
