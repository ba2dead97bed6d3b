# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sites that the gateway has joined, by a trap policy: a power cut is a short silence.

Purpose: the gateway is the initiator of the IKE SA, and no client dials again where it is lost.
Trap policies stand on all nodes, and each node has the routes to the site's net (`virtual_pools`).

Topology: client1, with 10.200.100.0/24 behind it -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: the server pings a host of the other site, and the gateway that serves begins. That host
pings the server and streams TCP to it. The power of the promoted gateway is cut.

Expected: as in ikev2-power-cut, in both directions; neither end has made another SA.
"""
from vpnlab.product.sites.ipsec_site import POLICY_SITE
from vpnlab.steps.ipsec.site import cut_power_of_site
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_of_site(run, POLICY_SITE)
