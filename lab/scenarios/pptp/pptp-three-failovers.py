# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session with MPPE-128 outlives three gateways, one after the other.

Purpose: a call that was taken over is replicated again, so that the n-th failover works like the
first: its numbers come from the data path then, not from pptpd's packets. A node that returns takes
a call that it once served.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic throughout. Three times: the power of the promoted gateway is
cut, another one goes on with the call, the dead one returns and is in sync again. Each gateway dies
once.

Expected: as in pptp-power-cut, for each of the three.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin_pptp(run)
    stack = live.stack
    begun_at = run.lab.now()
    victims: list[str] = []
    for number in range(3):
        active = stack.wait_in_sync()
        victims.append(active.name)
        # Who has died already would be as good a successor; but each gateway is to die once.
        stack.avoid(victims[:-1] if number == 1 else [])
        live.cut_power(active)
        stack.avoid([])
        stack.rejoin(active.name)
        stack.wait_protected(1)
        run.observe(2)
    until = run.lab.now()
    seen = live.end()
    run.expect("each_gateway_died_once", sorted(victims), equals(["gw1", "gw2", "gw3"]))
    expect_unhurt(run, live, seen, TAKEOVER_MS, (begun_at, until))
