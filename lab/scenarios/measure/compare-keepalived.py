# SPDX-License-Identifier: GPL-2.0-or-later
"""A fault of the node that serves, with keepalived and conntrackd.

Purpose: as of compare-vpnha. Both addresses are in one group of VRRP, conntrackd carries the flows,
stock daemons serve.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic; by the remainder of the seed by four the role is moved (0), the
power is cut (1), the machine freezes (2), or all links are pulled (3) of the node that serves.
After 30 s a frozen node goes on, and links are back.

Expected: nothing of the sessions: what becomes of them is the figure.
"""
from vpnlab.steps.ipsec.live import IPSEC_NODES
from vpnlab.steps.rivals.clusters import Vrrp
from vpnlab.steps.rivals.faults import UNPROMISED, compare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

PAIR = tuple(name for name in IPSEC_NODES if name != "gw3")
SCENARIO = Scenario(nodes=PAIR, faults=1, history_allows=UNPROMISED)


def steps(run: Run) -> None:
    compare(run, Vrrp(run))
