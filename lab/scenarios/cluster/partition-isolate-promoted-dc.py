# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as partition-isolate-promoted, and the node that loses everything is the cluster's DC.

Purpose: the survivors must elect a coordinator first, which joins all nodes anew, while the old
one continues to decide for itself, without a quorum.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: as partition-isolate-promoted, with the promoted role on the DC.

Expected: as partition-isolate-promoted.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import on_dc
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, (*CLUSTER_LINKS, "outside", "inside"), on_dc)
