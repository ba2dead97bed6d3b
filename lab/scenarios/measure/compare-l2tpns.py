# SPDX-License-Identifier: GPL-2.0-or-later
"""A fault of the node that serves, with a cluster of l2tpns.

Purpose: as of compare-vpnha, for plain L2TP, which is what l2tpns serves. One member keeps the
state, the other one carries the traffic; routers learn by BGP which one.

Topology: client4 -- outside -- gw1, gw2 -- inside -- server. Client and server are routers, too.

Steps: client4 dials by L2TP and makes traffic; by the remainder of the seed by four l2tpns ends
(0), the power is cut (1), the machine freezes (2), or all links are pulled (3) of the node that
carries it. After 45 s a frozen node continues, and links are back.

Expected: nothing of the session: what becomes of it is the figure.
"""
from vpnlab.steps.rivals.faults import UNPROMISED, compare
from vpnlab.steps.rivals.l2tpns import NODES, L2tpns
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=NODES, faults=1, history_allows=UNPROMISED)


def steps(run: Run) -> None:
    compare(run, L2tpns(run))
