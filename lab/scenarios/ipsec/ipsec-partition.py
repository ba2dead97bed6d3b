# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node of IPsec sessions loses everything: the others, its clients, its servers.

Purpose: its charon lives, has the same SAs as its successor's, and must not speak for them: its
lease ends, and with it its voice.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic; all links of the promoted node are cut.

Expected: it sends nothing after 400 ms; another node continues with both sessions within 1 s;
never two owners.
"""
from vpnlab.host.node import Node
from vpnlab.steps.ipsec.live import IPSEC_NODES, begin_ipsec
from vpnlab.steps.live import off_dc
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=4, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, (*CLUSTER_LINKS, "outside", "inside"), off_dc,
                    start=begin_ipsec)
