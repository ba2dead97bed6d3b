# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby dies, and no client notices.

Purpose: protection costs the protected nothing. While Corosync forms a new ring, Pacemaker fences
the lost node and the replica continues with one standby less, the promoted gateway serves as if
nothing had happened.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the power of a standby is cut. The third node is the
cluster's DC.

Expected: no gap longer than 50 ms, or twice the longest of as long a time without a fault; the
same gateway serves, no standby sends anything. Then the session is protected on the other standby
alone.
"""
from vpnlab.product.cluster import Cluster
from vpnlab.steps.membership import cut_power
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power(run, Cluster.tune)
