# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as l2tp-power-cut, and the gateway that dies is the cluster's DC as well.

Purpose: the client does not wait for Pacemaker's worst case. The survivors must elect a
coordinator, which joins all nodes anew; a standby stands in long before.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: as l2tp-power-cut, with the promoted role on the DC.

Expected: as l2tp-power-cut.
"""
from vpnlab.steps.live import on_dc
from vpnlab.steps.promoted.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, on_dc)
