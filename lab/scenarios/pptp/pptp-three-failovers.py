# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP session with MPPE-128 outlives three gateways, one after the other.

Purpose: a call that was taken over is replicated again, so that the n-th failover works like the
first: its numbers come from the data path then, not from pptpd's packets. A node that returns takes
a call that it once served.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic throughout. Three times: the power of the promoted gateway is
cut, another one continues with the call, the dead one returns and is in sync again. Each gateway
dies once.

Expected: as in pptp-power-cut, for each of the three.
"""
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.takeovers import each_gateway_dies_once

SCENARIO = Scenario(faults=3, vpnha=True)


def steps(run: Run) -> None:
    live = begin_pptp(run)
    begun_at = run.lab.now()
    each_gateway_dies_once(run, live, 1)
    until = run.lab.now()
    seen = live.end()
    expect_unhurt(run, live, seen, TAKEOVER_MS, (begun_at, until))
