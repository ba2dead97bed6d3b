# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as acting-power-cut, and the gateway that dies is the cluster's DC as well.

Purpose: that Pacemaker has to elect a coordinator first is nothing to the client.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; `stand_in = true` on all
gateways.

Steps: as acting-power-cut, with the promoted role on the DC.

Expected: as acting-power-cut.
"""
from vpnlab.steps.live import on_dc
from vpnlab.steps.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, on_dc, stand_in=True)
