# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is fenced while it lives, and has nothing to complain of.

Purpose: fencing by marks, without a power switch. A member that Pacemaker wants to be off loses its
leases to a majority of the others, is silent at once, and resets itself.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; fence_vpnha is the first level of
the fencing topology, power the second.

Steps: client1 dials and makes traffic; `stonith_admin --fence` on a standby, of the promoted node;
it boots, and joins again.

Expected: another node continues with the session within 1 s; never two owners; nobody's power was
switched off; the fenced node has reset itself, and is a standby in sync again in its next life.
"""
from vpnlab.steps.fenced import fence_promoted
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    fence_promoted(run)
