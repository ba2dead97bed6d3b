# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, promoted on different nodes: the node of one dies, and both sessions go on.

Purpose: gateways of one cluster share vpnhad, its CPG group and every node, and nothing else: each
has its addresses, its pools, its xl2tpd, its epoch and its place.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. Gateway l2tp has the
addresses .100, l2tp2 those with .101.

Steps: the template is loaded once per gateway; they are promoted on two nodes; client1 dials the
one, client2 the other, both make traffic; the power of the second gateway's node is cut.

Expected: client2 sees a silence of at most 1 s and nothing else; client1 no gap longer than
50 ms, or twice the longest of a fault-free time. No standby of either says a word.
"""
from vpnlab.evidence.expectation import is_empty, is_true
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, expect_unnoticed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
OBSERVED_S = 8


def steps(run: Run) -> None:
    # Neither is the DC: what its death costs, and its work on a node with one core, are not to be
    # measured here.
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), (L2TP, L2TP_2)))
    stack, kept = live.stack, live.active
    second = stack.of(L2TP_2)
    lost = second.move_role(lambda name: name not in (kept.name, live.dc))
    live.dial("client1")
    other = live.dial("client2", L2TP_2)
    live.spare_promoted()
    run.step(f"{kept.name} serves client1, {lost.name} client2")
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)

    run.step(f"power cut of {lost.name}")
    cut_at = run.lab.now()
    lost.power_off()
    successor = second.wait_promoted()
    live.wait_answered(other)
    run.step(f"{successor.name} has resumed the session of client2")
    run.observe(OBSERVED_S - 2)
    until = run.lab.now()
    run.expect("first_gateway_stayed", stack.wait_in_sync() is kept, is_true())
    stack.wait_protected(1)
    second.wait_protected(1)

    seen = live.end()
    run.expect("second_gateway_left", second.leftovers(successor), is_empty())
    expect_unnoticed(run, seen.client("client1"), (calm_from, cut_at), (cut_at, until))
    expect_only_silence(run, seen.client("client2"), TAKEOVER_MS)
