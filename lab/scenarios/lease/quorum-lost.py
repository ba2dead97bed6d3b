# SPDX-License-Identifier: GPL-2.0-or-later
"""Two of three nodes die; the third one, promoted, falls silent, and continues when they are back.

Purpose: without a majority nobody may speak, because the majority may be elsewhere. Pacemaker
freezes, the lease lapses, nothing is stopped; votes that come back bring the gateway back, without
an administrator and with its sessions.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the power of both standbys is cut, at once; for a while the
client's pings stay unanswered; one is switched on again, and later the other.

Expected: the promoted node is silent within 400 ms; it answers within 1 s after a voter's
abstention has ended, and not before that; the session is the same; never two owners.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.steps.live import begin
from vpnlab.steps.partition import SILENT_MS
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.silence import back_after_abstention, since_abstention_s

SCENARIO = Scenario(faults=2, vpnha=True)
SILENCE_S = 5
BACK_S = 1.0


def steps(run: Run) -> None:
    live = begin(run)
    promotions = live.stack.promotions()
    run.step(f"both standbys die; {live.active.name} is left alone")
    for node in live.standbys:
        node.power_off()
    alone_at = run.lab.now()
    run.observe(SILENCE_S)
    first, second = live.standbys
    run.step(f"{first.name} is switched on again")
    live.stack.join(first.name)
    live.wait_answered()
    run.expect("back_after_abstention_s", since_abstention_s(run, first, run.lab.now()),
               back_after_abstention(BACK_S))
    run.step(f"and {second.name}")
    live.stack.rejoin(second.name)
    live.stack.wait_protected(1)
    run.observe(2)
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    spoke_until = max(each.end for each in seen.ownerships if each.start <= alone_at)
    run.expect("silent_after_ms", round((spoke_until - alone_at) * 1000), at_most(SILENT_MS))
    expect_nothing_else(run, seen.client("client1"))
