# SPDX-License-Identifier: GPL-2.0-or-later
"""xl2tpd dies on the promoted node, and another node serves.

Purpose: started anew in its place it would know none of its sessions; all other nodes hold them.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; xl2tpd of the promoted node is killed.

Expected: a silence of at most 2.5 s and nothing else; never two owners; the node is a standby in
sync again by itself, with an xl2tpd.
"""
from vpnlab.steps.promise import REPORTED_MS
from vpnlab.steps.promoted.fault import expect_moved, strike
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
BACK_S = 75


def steps(run: Run) -> None:
    live = strike(run, "death of xl2tpd", lambda node: node.kill_process("xl2tpd"))
    live.stack.wait_in_sync(deadline_s=BACK_S)
    live.stack.wait_protected(1)
    run.wait_for("the node has an xl2tpd again", lambda: live.active.processes("xl2tpd"),
                 BACK_S)
    expect_moved(run, live, REPORTED_MS)
