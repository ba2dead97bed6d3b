# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as node-leaves, with the token that Corosync has without a word of ours.

Purpose: the ring is formed anew, slowly, and nothing that serves may depend on it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; a standby shuts down: Pacemaker, Corosync, then the machine.

Expected: no gap longer than 50 ms, or twice the longest of as long a time without a fault; the
same gateway serves, no standby sends anything.
"""
from vpnlab.product.cluster import Cluster
from vpnlab.steps.membership import leave
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    leave(run, Cluster.default_token)
