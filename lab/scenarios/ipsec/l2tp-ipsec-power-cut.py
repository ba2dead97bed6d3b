# SPDX-License-Identifier: GPL-2.0-or-later
"""A live L2TP/IPsec session of a client behind NAT outlives the power cut of its gateway.

Purpose: what phones, Windows and small routers speak: IKEv1 with a pre-shared key, ESP in UDP, L2TP
and PPP inside. IKE SA, ESP SAs, tunnel and session continue at another node.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha serves on a gateway that is not the cluster's DC; home1 dials, pings the server and
streams TCP to it; the power of the promoted gateway is cut under that traffic. Then somebody
outside sends to its successor all ESP packets that the client had sent.

Expected: within 0.6 s another gateway answers in the same session: no IKE, no L2TP setup, no PPP
negotiation, no TCP reset; the stream is intact. No ESP number is used twice, none of the old
packets is taken again, no L2TP is seen outside of ESP. No standby sends anything. After the client
has hung up nothing is left on any node.
"""
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.steps.ipsec.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, {"home1": L2tpIpsecClient})
