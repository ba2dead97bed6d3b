# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node loses everything: the others, its clients, its servers.

Purpose: a dead switch port. The node lives and does not know who is right; its lease ends.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; all links of the promoted node are cut.

Expected: it sends nothing after 400 ms; another node continues with the session within 1 s;
never two owners.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import off_dc
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, (*CLUSTER_LINKS, "outside", "inside"), off_dc)
