# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby serves for a gateway that lost power before Corosync or Pacemaker knows of it.

Purpose: with `stand_in` the client waits for the dead node's promises only.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; `stand_in = true` on all
gateways.

Steps: as l2tp-power-cut.

Expected: as l2tp-power-cut, within 1 s.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, off_dc, stand_in=True)
