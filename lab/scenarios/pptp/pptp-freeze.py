# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node of a PPTP session is paused and, after another one has taken over, continues.

Purpose: the worst that can happen to keys of MPPE. The paused node's pptpd and pppd live, know of
nothing, and have the keys that its successor uses; only the deadline in its kernel's gate keeps
them silent.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd;
fence_vpnha is the first level of the fencing topology, power the second.

Steps: client1 dials and makes traffic; the promoted node freezes; when another node serves, it is
thawed.

Expected: a silence of at most 2.5 s and nothing else; no number of GRE and no index of MPPE is used
twice, nothing is in the clear; two owners for no longer than a lease, 300 ms; the node resets
itself, and is a standby in sync in its next life.
"""
from vpnlab.evidence.capture_invariants import cleartext_pptp, pptp_hang_ups
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.history.violations import OLDER_OWNER, SESSION_OWNER
from vpnlab.product.cluster import FENCE_VPNHA_FIRST, Cluster
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.fenced import wait_reset
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_one_lease, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(
    faults=1, vpnha=True,
    history_allows=dict.fromkeys((OLDER_OWNER, SESSION_OWNER),
                                 "a thawed node may speak for the rest of its lease"))
BEFORE_S, THAWED_S = 3, 3


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab), fencing=FENCE_VPNHA_FIRST, pptp=True)
    live = begin(run, clients=(), observe_s=0, stack=stack)
    run.step("client1 dials")
    client = live.dial("client1", dialler=PptpDialler)
    run.observe(BEFORE_S)
    paused, paused_at = live.active, run.lab.now()
    run.step(f"{paused.name}, which is promoted, freezes")
    paused.freeze()
    stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    run.step(f"{paused.name} is thawed")
    paused.thaw()
    run.observe(THAWED_S)
    wait_reset(run, paused)
    stack.rejoin(paused.name)
    stack.wait_protected(1)
    until = run.lab.now()
    live.hang_up()
    seen = run.measure()
    outside, vip = client.files.outside, client.gateway.vip_outside
    expect_one_lease(run, seen)
    run.expect("client1_hung_up_by", pptp_hang_ups(outside, vip, (paused_at, until)), is_empty())
    run.expect("client1_in_the_clear", cleartext_pptp(outside, vip), equals(0))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
