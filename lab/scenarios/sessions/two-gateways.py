# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, promoted on different nodes: the node of one dies, and both sessions continue.

Purpose: gateways of one cluster share vpnhad, its CPG group and every node, and nothing else: each
has its addresses, its pools, its xl2tpd, its epoch and its place.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. Gateway l2tp has the
addresses .100, l2tp2 those with .101.

Steps: the template is loaded once per gateway; they are promoted on two nodes; client1 dials the
one, client2 the other, both make traffic; the power of the second gateway's node is cut. Then both
gateways are brought to one node, as after two failures, and `vpnha rebalance --yes` is called.

Expected: client2 sees a silence of at most 1 s and nothing else; client1 no gap longer than
50 ms, or twice the longest of a fault-free time. `vpnha rebalance` makes one move, after which two
nodes serve one gateway each, and both sessions are protected. No standby of either sends a packet.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, expect_unnoticed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
OBSERVED_S = 8
REBALANCE_LIMIT_S = 120


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
    _rebalance(run, stack, second, successor)

    seen = live.end()
    run.expect("second_gateway_left", second.leftovers(second.wait_in_sync()), is_empty())
    expect_unnoticed(run, seen.client("client1"), (calm_from, cut_at), (cut_at, until))
    expect_only_silence(run, seen.client("client2"), TAKEOVER_MS)


def _rebalance(run: Run, first: VpnhaStack, second: VpnhaStack, other: Node) -> None:
    """By a command on the other node, when one node serves both."""
    both = first.wait_in_sync()
    run.step(f"l2tp2 moves to {both.name}, which serves both then")
    second.move_role(lambda name: name == both.name)
    second.wait_protected(1)
    done = other.run("vpnha", "rebalance", "--yes", check=False, timeout=REBALANCE_LIMIT_S)
    run.step(f"{done.stdout}{done.stderr}".replace("\n", "; "))
    run.expect("rebalance_exit_code", done.code, equals(0))
    run.expect("rebalance_moves", done.stdout.count(" is promoted\n"), equals(1))
    run.expect("apart_again", first.wait_in_sync() is not second.wait_in_sync(), is_true())
    first.wait_protected(1)
    second.wait_protected(1)
    run.observe(2)
