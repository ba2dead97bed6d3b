# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is paused for 0.5 s; a standby stands in, and the role moves.

Purpose: the old holder lives and knows nothing of it. It finds its gate shut, is superseded, and
waits for its demotion, which Pacemaker orders because it is notified, and counts no failure.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted node freezes for 0.5 s, and is thawed.

Expected: a silence of at most 1 s and nothing else; Pacemaker promotes another node within 5 s,
and counts no failure; two owners for no longer than a lease, 300 ms; the node is a standby in sync.
"""
from vpnlab.evidence.expectation import is_empty
from vpnlab.history.violations import OLDER_OWNER, SESSION_OWNER
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_one_lease, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, stand_still, wait_stands_in

SCENARIO = Scenario(
    faults=1, vpnha=True,
    history_allows=dict.fromkeys((OLDER_OWNER, SESSION_OWNER),
                                 "a thawed node may speak for the rest of its lease"))
FROZEN_S = 0.5
PROMOTED_S = 5


def steps(run: Run) -> None:
    live = begin(run)
    stack, frozen, standbys = live.stack, live.active, live.standbys
    run.step(f"{frozen.name}, which is promoted, freezes for {FROZEN_S:g} s")
    stand_still((frozen,), FROZEN_S)
    successor = wait_stands_in(live, standbys)
    stack.wait_promoted((node.name for node in standbys), PROMOTED_S)
    stack.wait_in_sync()
    stack.wait_protected(1)
    run.observe(2)
    expect_stood_in(live, successor)
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    live.hang_up()
    seen = run.measure()
    expect_one_lease(run, seen)
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
