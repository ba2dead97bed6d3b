# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node of a WireGuard client loses everything: the others, its clients, its servers.

Purpose: its kernel has a session with the client, and its successor's makes a new one. The old one
must not speak: a client sends to whoever sent to it last.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic; all links of the promoted node are cut.

Expected: it sends nothing after 400 ms; another node serves the client within a second; never
two owners.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import off_dc
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=4, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, (*CLUSTER_LINKS, "outside", "inside"), off_dc,
                    start=begin_wireguard)
