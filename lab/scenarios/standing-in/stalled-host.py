# SPDX-License-Identifier: GPL-2.0-or-later
"""All gateways stand still for 0.4 s at once, again and again; nobody takes over.

Purpose: a host that stops all its machines makes all promises run out. Whoever wakes up first is
not to take the role from a node that wakes up a moment later.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; five times all gateways freeze for 0.4 s, and are thawed,
the standbys first.

Expected: nobody stands in and nobody is promoted; no silence is longer than the standstill and 100
ms; nothing else happens to the client.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, first_in_rank, stand_still

TIMES = 5
SCENARIO = Scenario(faults=3 * TIMES, vpnha=True)
STALLED_S = 0.4
BETWEEN_S = 3
OUTAGE_MS = STALLED_S * 1000 + 100


def steps(run: Run) -> None:
    live = begin(run)
    first = first_in_rank(run, live.stack, live.standbys)
    other = next(node for node in live.standbys if node is not first)
    promotions = live.stack.promotions()
    for number in range(TIMES):
        run.step(f"standstill {number + 1} of {TIMES}")
        stand_still((first, other, live.active), STALLED_S)
        run.observe(BETWEEN_S)
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    expect_stood_in(live)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
