# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sites that are joined by an XFRM interface (if_id) on the gateways: a power cut is a silence.

Purpose: route-based IPsec. The interface and the route are each node's own, and its policies have
the number that swanctl.conf names. The standbys' SAs have it, too.

Topology: client1, with 10.200.101.0/24 behind it -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: as in site-to-site.

Expected: as in site-to-site.
"""
from vpnlab.product.sites.ipsec_site import ROUTED_SITE
from vpnlab.steps.ipsec.site import cut_power_of_site
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_of_site(run, ROUTED_SITE)
