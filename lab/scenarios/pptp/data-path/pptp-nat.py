# SPDX-License-Identifier: GPL-2.0-or-later
"""Two PPTP sessions from behind one NAT outlive the power cut of their gateway.

Purpose: the gateway sees two calls from one address. What distinguishes them is the port of the
control connection and, in GRE, the call ids, of which the NAT may have changed the clients'.

Topology: home1, home2 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; nat1 has the
kernel's PPTP helper; stock pptpd in place of xl2tpd.

Steps: both dial and make traffic; the power of the promoted gateway is cut.

Expected: as in pptp-power-cut, for both.
"""
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1", "home2"), faults=1,
                    vpnha=True)
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc, clients=("home1", "home2"))
    cut_at = run.lab.now()
    live.cut_power(live.active)
    for client in live.clients:
        live.wait_answered(client)
    live.stack.wait_protected(len(live.clients))
    run.observe(AFTERWARDS_S)
    until = run.lab.now()
    seen = live.end()
    expect_unhurt(run, live, seen, TAKEOVER_MS, (cut_at, until))
