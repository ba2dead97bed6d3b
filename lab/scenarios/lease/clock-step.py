# SPDX-License-Identifier: GPL-2.0-or-later
"""The administrator sets the promoted node's clock, forward and back; nobody notices.

Purpose: the lease counts time that nobody can set.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the clock of the promoted node is set an hour ahead, and
back.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; the same node serves.
"""
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
BETWEEN_S = 3


def steps(run: Run) -> None:
    def set_the_clock(live: Live) -> None:
        run.step(f"the clock of {live.active.name} goes ahead, and back")
        live.active.step_clock(3600)
        run.observe(BETWEEN_S)
        live.active.step_clock(-3600)
    expect_unnoticed_act(run, set_the_clock)
