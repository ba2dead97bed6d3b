# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is paused and, after another one has taken over, continues.

Purpose: what a hypervisor does to a machine. Nothing on the node knows that time has passed, and
its power was not switched off; what keeps it silent is the deadline in its kernel's gate, and then
the mark that the others send it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; fence_vpnha is the first level of
the fencing topology, power the second.

Steps: client1 dials and makes traffic; the promoted node freezes; when another node serves, it is
thawed. A node of the lab finds its clock set ahead then; a clock that stood still too is the
simulator's and the checker's.

Expected: a silence of at most 1 s and nothing else; no sequence number is used again; two owners
for no longer than a lease, 300 ms; the node resets itself, and is a standby in sync in its next
life.
"""
from vpnlab.history.violations import OLDER_OWNER, SESSION_OWNER
from vpnlab.product.cluster import FENCE_VPNHA_FIRST
from vpnlab.steps.fenced import wait_reset
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_one_lease, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(
    faults=1, vpnha=True,
    history_allows=dict.fromkeys((OLDER_OWNER, SESSION_OWNER),
                                 "a thawed node may speak for the rest of its lease"))
THAWED_S = 3


def steps(run: Run) -> None:
    live = begin(run, fencing=FENCE_VPNHA_FIRST)
    paused = live.active
    run.step(f"{paused.name}, which is promoted, freezes")
    paused.freeze()
    live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    run.step(f"{paused.name} is thawed")
    paused.thaw()
    run.observe(THAWED_S)
    wait_reset(run, paused)
    live.stack.rejoin(paused.name)
    live.stack.wait_protected(1)
    live.hang_up()
    seen = run.measure()
    expect_one_lease(run, seen)
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
