# SPDX-License-Identifier: GPL-2.0-or-later
"""pptpd dies on the promoted node, and another node serves.

Purpose: a gateway whose pptpd is gone accepts no new clients. It moves, and its calls move with it,
although their own processes live.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic; pptpd of the promoted node is killed.

Expected: as in pptp-power-cut; the node is a standby in sync again by itself, with a pptpd. pptpd
and pppd may write no core file.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.pptp_live import begin_pptp, expect_unhurt
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
PROMOTED_S, BACK_S = 20, 75


def steps(run: Run) -> None:
    live = begin_pptp(run)
    run.expect("core_limits", live.active.core_limits("pptpd", "pppd"),
               equals({name: ["0", "0"] for name in ("pptpd", "pppd")}))
    killed_at = run.lab.now()
    run.step(f"death of pptpd of {live.active.name}, which is promoted")
    live.active.kill_process("pptpd")
    live.stack.wait_promoted((node.name for node in live.standbys), PROMOTED_S)
    live.wait_answered()
    run.observe(2)
    until = run.lab.now()
    live.stack.wait_in_sync(deadline_s=BACK_S)
    live.stack.wait_protected(1)
    run.wait_for("the node has a pptpd again", lambda: live.active.processes("pptpd"), BACK_S)
    seen = live.end()
    expect_unhurt(run, live, seen, TAKEOVER_MS, (killed_at, until))
