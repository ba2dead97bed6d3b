# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is cut off from the others in the moment in which it is fenced.

Purpose: a victim that does not know of its mark. Its lease ends without it, fencing succeeds
without its answer, and when it is reachable again it is notified.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; fence_vpnha is the first level of
the fencing topology, power the second.

Steps: client1 dials and makes traffic; the cluster links of the promoted node are cut, and at once,
before anybody has noticed, `stonith_admin --fence` of it on a standby; when another node serves,
they are plugged in again. Outside it is connected all the time.

Expected: as in fence-living-member; the node resets itself when it is reachable again.
"""
from vpnlab.steps.fenced import fence_promoted
from vpnlab.steps.live import Live
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1 + len(CLUSTER_LINKS), vpnha=True)


def cut(live: Live) -> None:
    for link in CLUSTER_LINKS:
        live.active.link_down(link)


def mend(live: Live) -> None:
    for link in CLUSTER_LINKS:
        live.active.link_up(link)


def steps(run: Run) -> None:
    fence_promoted(run, first=cut, afterwards=mend)
