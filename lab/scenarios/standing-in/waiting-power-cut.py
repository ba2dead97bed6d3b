# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as l2tp-power-cut, and the standbys wait for Pacemaker.

Purpose: what `stand_in = false` costs, and that nothing else differs: the lease, the gate and the
replica are the same.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; `stand_in = false` on all
gateways.

Steps: as l2tp-power-cut.

Expected: as l2tp-power-cut, within 2.5 s.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.promoted.power_cut import cut_power_under_traffic
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    cut_power_under_traffic(run, off_dc, waiting=True)
