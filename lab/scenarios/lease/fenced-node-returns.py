# SPDX-License-Identifier: GPL-2.0-or-later
"""A fenced node comes back in its next life, and serves again.

Purpose: a mark is bound to one boot of a node. Nothing of a gateway starts on that boot any more;
the next one is a node like any other.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; fence_vpnha is the first level of
the fencing topology, power the second.

Steps: client1 dials and makes traffic; `stonith_admin --fence` on a standby, of the promoted node;
it resets itself, boots and joins; the promoted role moves back to it.

Expected: as in fence-living-member; between the fencing and the reset no agent starts anything on
the fenced node; in its next life it is granted the lease, and the session continues there.
"""
from vpnlab.steps.fenced import fence_promoted
from vpnlab.steps.live import Live
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def move_back(live: Live) -> None:
    live.run.step(f"the promoted role moves back to {live.active.name}")
    live.stack.move_role(lambda name: name == live.active.name)
    live.wait_answered()


def steps(run: Run) -> None:
    fence_promoted(run, returned=move_back)
