# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node, and the sessions move with it.

Purpose: a demotion is as silent as a death. The node's stock sessions end there without a word to
the clients, its xl2tpd is idle again, its kernel holds the sessions hot; and Pacemaker, whose
monitors run meanwhile, counts no failure.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the role is banned from its gateway (what an administrator
does before maintenance); then it moves back in the same way. No fault.

Expected: a silence of at most 100 ms at each move and nothing else; no failure counted; the demoted
node is a standby in sync with a hot session, no pppd, and an xl2tpd that listens.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_planned_move
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    stack, first = live.stack, live.active
    there = live.move_role(live.plain_standby)
    run.expect("pppds_of_the_demoted_node", first.processes("pppd"), is_empty())
    run.expect("xl2tpds_of_the_demoted_node", len(first.processes("xl2tpd")), equals(1))
    back = live.move_role(first)
    run.expect("failures", list(stack.cluster.status().failures), is_empty())

    seen = live.end()
    for calm, moved in (there, back):
        expect_planned_move(run, seen.client("client1"), calm, moved)
