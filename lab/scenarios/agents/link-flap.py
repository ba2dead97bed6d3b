# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node's outside link comes and goes each second, for a minute: one move at most.

Purpose: a loose plug must not toss the gateway about. The first loss moves it; until the link has
been good for the hold-off, nothing moves back.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the carrier of the promoted node's outside link is gone for
1 s and there for 1 s, thirty times; then it stays.

Expected: at most one move; a silence of at most 0.7 s and nothing else; never two owners.
"""
import time

from vpnlab.evidence.expectation import at_most, is_empty
from vpnlab.steps.links import OUTAGE_MS, begin_with_carriers
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=30, vpnha=True)
HALF_PERIOD_S = 1.0
TIMES = 30


def steps(run: Run) -> None:
    live = begin_with_carriers(run, "outside")
    promotions = live.stack.promotions()
    run.step(f"the outside link of {live.active.name}, which is promoted, comes and goes")
    begun = time.monotonic()
    for turn in range(TIMES):
        for half, change in enumerate((live.active.lose_carrier, live.active.gain_carrier)):
            at = begun + (2 * turn + half) * HALF_PERIOD_S
            run.observe(max(0.0, at - time.monotonic()))
            change("outside")
    live.wait_answered()
    run.observe(2)
    run.expect("moves", live.stack.promotions() - promotions, at_most(1))
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
