# SPDX-License-Identifier: GPL-2.0-or-later
"""The administrator sets the promoted node's clock, forward and back; nobody notices.

Purpose: the lease counts time that nobody can set.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the clock of the promoted node is set an hour ahead, and
back.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; the same node serves.
"""
from vpnlab.expectation import equals
from vpnlab.live import begin
from vpnlab.promise import expect_unnoticed
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
OBSERVED_S = 6


def steps(run: Run) -> None:
    live = begin(run, observe_s=0)
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    stepped_at = run.lab.now()
    for step in ("+3600", "-3600"):
        run.step(f"the clock of {live.active.name}: {step} s")
        live.active.step_clock(int(step))
        run.observe(OBSERVED_S / 2)
    until = run.lab.now()
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, stepped_at), (stepped_at, until))
