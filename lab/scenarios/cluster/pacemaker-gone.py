# SPDX-License-Identifier: GPL-2.0-or-later
"""All of Pacemaker dies on the promoted node, and another node serves.

Purpose: nobody is left there who could demote anything; the others fence the node. Until then it
serves: its lease does not depend on Pacemaker.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; all daemons of Pacemaker on the promoted node are killed at
once.

Expected: a silence of at most 1 s and nothing else; never two owners.
"""
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.promoted.fault import expect_moved, strike
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = strike(run, "death of Pacemaker", lambda node: node.kill_processes("pacemaker.*"))
    live.stack.wait_protected(1)
    expect_moved(run, live, TAKEOVER_MS)
