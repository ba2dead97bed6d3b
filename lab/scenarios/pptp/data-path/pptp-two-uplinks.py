# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers leave by the link on which the client came in, before a failover and after it.

Purpose: a gateway with two uplinks has one default route. What it sends from a VIP has to go back
by the VIP's own uplink, whoever sends it: pptpd, pppd, or vpnhad's data path after a failover.

Topology: home1 -- home -- nat1, which routes and has no NAT -- outside -- gw1, gw2, gw3 -- inside
-- server. The gateways' own default route leads inside, where nobody knows home; rp_filter is
strict. [gateway.NAME.outside] has default_via = nat1.

Steps: home1 dials with MPPE-128 and makes traffic; the power of the promoted gateway is cut.

Expected: as in pptp-power-cut. By the node's own routes home1 would be inside.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import NAT, NETWORKS, NODES
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", NAT, "home1"), faults=1, vpnha=True)
INSIDE, OUTSIDE = NETWORKS["inside"].link, NETWORKS["outside"].link


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        node.run("ip", "route", "replace", "default", "via", NODES["server"].address("inside"))
        for device in ("all", "default", INSIDE, OUTSIDE):
            node.run("sysctl", "-q", "-w", f"net.ipv4.conf.{device}.rp_filter=1")
    live = begin_pptp(run, off_dc, clients=("home1",), router=NODES[NAT].address("outside"))
    home = NODES["home1"].address("home")
    found = live.active.run("ip", "route", "get", home).stdout.split()
    run.expect("own_way", found[found.index("dev") + 1], equals(INSIDE))
    cut_power_unhurt(run, live)
