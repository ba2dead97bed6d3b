# SPDX-License-Identifier: GPL-2.0-or-later
"""The others receive from the promoted node, and it receives from none of them.

Purpose: a half-broken link is the kind that fools heartbeats. The node's renewals arrive, the
answers do not: nobody's promise is worth anything that does not come back.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted node drops what arrives on its cluster links.

Expected: it sends nothing after 400 ms; another node continues with the session within 0.7 s;
never two owners.
"""
from vpnlab.host.node import Node
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

# It begins with the lapse: 0.2 s of claims in vain, and the promise to the last of them.
OUTAGE_MS = 700

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.deafen, CLUSTER_LINKS, outage_ms=OUTAGE_MS)
