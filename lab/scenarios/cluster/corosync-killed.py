# SPDX-License-Identifier: GPL-2.0-or-later
"""Corosync dies on the promoted node, and another node serves.

Purpose: a node that has lost the cluster's word ends its lease by itself; the others fence it, for
they cannot know that.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; corosync of the promoted node is killed; the node, which the
others fence, is switched on again.

Expected: a silence of at most 1 s and nothing else; never two owners.
"""
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.promoted.fault import expect_moved, strike
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = strike(run, "death of corosync", lambda node: node.kill_process("corosync"))
    live.stack.wait_protected(1)
    expect_moved(run, live, TAKEOVER_MS)
