# SPDX-License-Identifier: GPL-2.0-or-later
"""A fault of the node that serves, with keepalived and conntrackd.

Purpose: as of compare-vpnha. Both addresses are in one group of VRRP, conntrackd carries the flows,
stock daemons serve.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2 -- inside -- server; client1 to
client4 -- outside. home1 speaks L2TP/IPsec, client1 IKEv2, client2 PPTP, client3 WireGuard, client4
L2TP.

Steps: all dial and make traffic; by the remainder of the seed by four the role is moved (0), the
power is cut (1), the machine freezes (2), or all links are pulled (3) of the node that serves.
After 45 s a frozen node continues, and links are back.

Expected: nothing of the sessions: what becomes of them is the figure.
"""
from vpnlab.steps.rivals.clusters import PAIR_NODES, Vrrp
from vpnlab.steps.rivals.faults import UNPROMISED, compare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=PAIR_NODES, faults=1, history_allows=UNPROMISED)


def steps(run: Run) -> None:
    compare(run, Vrrp(run))
