# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as node-joins, with the token that Corosync has without a word of ours.

Purpose: the ring is formed anew, slowly, and nothing that serves may depend on it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: a standby has no power; client1 makes traffic; the standby is switched on and starts.

Expected: no gap longer than 50 ms, or twice the longest of as long a time without a fault; the
same gateway serves, no standby sends anything.
"""
from vpnlab.product.cluster import Cluster
from vpnlab.steps.membership import join
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    join(run, Cluster.default_token)
