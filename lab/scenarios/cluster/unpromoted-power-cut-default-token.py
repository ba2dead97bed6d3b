# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as unpromoted-power-cut, with the token that Corosync has without a word of ours.

Purpose: a node's death silences Corosync's messages for 8 s then, on healthy nodes too; nothing
that serves may depend on them.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the power of a standby is cut.

Expected: no gap longer than 50 ms, or twice the longest of as long a time without a fault; the
same gateway serves, no standby sends anything.
"""
from vpnlab.product.cluster import Cluster
from vpnlab.steps.membership import cut_power
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power(run, Cluster.default_token)
