# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node's inside link loses its carrier; its cluster links live.

Purpose: clients reach the node, and get no further. It gives the gateway to a standby
in sync whose links are good, and Pacemaker moves the role without counting a failure.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted node's device inside has no carrier any more.

Expected: a silence of at most 0.7 s and nothing else; never two owners; one move.
"""
from vpnlab.steps.links import lose_link
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    lose_link(run, "inside")
