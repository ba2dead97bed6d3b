# SPDX-License-Identifier: GPL-2.0-or-later
"""A live L2TP session outlives the power cut of its gateway.

Purpose: the promise itself. The session that l2tp-control loses continues at another node, and the
client sees a short silence and nothing else.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha serves on a gateway that is not the cluster's DC, the others hold its sessions hot;
client1 dials, pings the server and streams TCP to it; the power of the promoted gateway is cut
under that traffic.

Expected: within 0.6 s another gateway answers in the same session: no L2TP setup, no PPP
negotiation, no authentication, no TCP reset, the same interface; the stream is intact. No
standby sends anything meanwhile. After the client has hung up nothing is left on any node.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.promoted.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, off_dc)
