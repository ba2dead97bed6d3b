# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node, and the sessions of IPsec move with it.

Purpose: a demotion makes charon passive and kills nothing: the demoted node is a standby in sync
at once, and IKE says nothing of the move to anybody.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic; the role is banned from its gateway (what an administrator does
before maintenance); then it moves back in the same way. No fault.

Expected: a silence of at most 1 s at each move and nothing else; the same charon runs on all
nodes throughout; no failure is counted.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.steps.ipsec.live import CHARON, CLIENTS, IPSEC_NODES, begin_ipsec, expect_silences
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, vpnha=True)


def steps(run: Run) -> None:
    live = begin_ipsec(run)
    stack, first = live.stack, live.active
    charons = pids(run)
    run.step(f"the role moves away from {first.name}, which lives")
    second = stack.move_role(lambda name: name != first.name)
    stack.wait_protected(len(CLIENTS))
    run.observe(2)
    run.step(f"and back from {second.name}")
    stack.move_role(lambda name: name == first.name)
    stack.wait_protected(len(CLIENTS))
    run.observe(2)
    run.expect("charons", pids(run), equals(charons))
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    seen = live.end()
    expect_silences(run, seen, TAKEOVER_MS)


def pids(run: Run) -> list[list[str]]:
    return [node.running(CHARON) for node in run.lab.gateways]
