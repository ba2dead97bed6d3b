# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred PPTP sessions with MPPE-128 outlive the power cut of their gateway.

Purpose: each call has a control connection, a ladder and keys of its own, and all of them are
resumed at once.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of
xl2tpd.

Steps: client1 dials and makes traffic; client2 dials 99 sessions, each from an address of its own;
the power of the promoted gateway is cut.

Expected: for client1 as in pptp-power-cut. Each of client2's sessions is there as before, and the
server answers through it. Nothing is left when all have hung up.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.crowd import PptpCallers
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
SESSIONS = 99
AFTERWARDS_S = 5
PROTECTED_LIMIT_S = 60


def steps(run: Run) -> None:
    live = begin_pptp(run, off_dc, observe_s=0)
    run.step(f"client2 dials {SESSIONS} sessions")
    callers = PptpCallers(run.lab, run.lab.node("client2"), SESSIONS)
    interfaces = callers.dial()
    live.stack.wait_protected(SESSIONS + 1, PROTECTED_LIMIT_S)
    run.expect("answered_before", len(callers.answered(SERVER_ADDRESS)), equals(SESSIONS))
    cut_at = run.lab.now()
    live.cut_power(live.active)
    live.stack.wait_protected(SESSIONS + 1, PROTECTED_LIMIT_S)
    run.observe(AFTERWARDS_S)
    until = run.lab.now()
    answered = callers.answered(SERVER_ADDRESS)
    run.expect("unanswered", sorted(set(interfaces) - set(answered)), is_empty())
    # A call that was set up anew would have reported it.
    run.expect("set_up", len(callers.interfaces()), equals(SESSIONS))
    callers.hang_up()
    seen = live.end()
    expect_unhurt(run, live, seen, TAKEOVER_MS, (cut_at, until))
