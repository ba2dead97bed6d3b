# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node of IPsec sessions is paused and, after another one has taken over, continues.

Purpose: the worst that can happen to the numbers of ESP. The paused node's charon and kernel know
of nothing, and have the SAs that its successor uses; only the deadline in its kernel's gate keeps
them silent.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2. fence_vpnha is the first level of the fencing topology,
power the second.

Steps: both dial and make traffic; the promoted node freezes; when another node serves, it is
thawed.

Expected: a silence of at most 1 s and nothing else; no ESP number is used twice, no L2TP is in
the clear; two owners for no longer than a lease, 300 ms; the node resets itself, and is a standby
in sync in its next life.
"""
from vpnlab.history.violations import OLDER_OWNER, SESSION_OWNER
from vpnlab.product.cluster import FENCE_VPNHA_FIRST
from vpnlab.steps.fenced import wait_reset
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec, expect_silences
from vpnlab.steps.promise import TAKEOVER_MS, expect_one_lease
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(
    nodes=IPSEC_NODES, faults=1, vpnha=True,
    history_allows=dict.fromkeys((OLDER_OWNER, SESSION_OWNER),
                                 "a thawed node may speak for the rest of its lease"))
THAWED_S = 3


def steps(run: Run) -> None:
    live = begin_ipsec(run, fencing=FENCE_VPNHA_FIRST)
    paused = live.active
    run.step(f"{paused.name}, which is promoted, freezes")
    paused.freeze()
    live.stack.wait_promoted(node.name for node in live.standbys)
    for client in live.clients:
        live.wait_answered(client)
    run.step(f"{paused.name} is thawed")
    paused.thaw()
    run.observe(THAWED_S)
    wait_reset(run, paused)
    live.stack.rejoin(paused.name)
    live.stack.wait_protected(len(CLIENTS))
    live.hang_up()
    seen = run.measure()
    expect_one_lease(run, seen)
    expect_silences(run, seen, TAKEOVER_MS)
