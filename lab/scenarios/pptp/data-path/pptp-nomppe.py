# SPDX-License-Identifier: GPL-2.0-or-later
"""A live PPTP session without MPPE outlives the power cut of its gateway, and the successor's.

Purpose: routers and old devices have PPTP without encryption. What continues then are the control
connection and GRE alone; no key is made, and none is asked for.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd,
with the option nomppe.

Steps: client1 dials by pptp-linux without MPPE and makes traffic; twice the power of the promoted
gateway is cut, and the dead one comes back.

Expected: as in pptp-power-cut, each time, except what MPPE has.
"""
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
FAILOVERS = 2


def steps(run: Run) -> None:
    live = begin_pptp(run, mppe=False)
    stack = live.stack
    begun_at = run.lab.now()
    for _ in range(FAILOVERS):
        victim = stack.wait_in_sync()
        live.cut_power(victim)
        stack.rejoin(victim.name)
        stack.wait_protected(1)
        run.observe(2)
    until = run.lab.now()
    seen = live.end()
    expect_unhurt(run, live, seen, TAKEOVER_MS, (begun_at, until))
