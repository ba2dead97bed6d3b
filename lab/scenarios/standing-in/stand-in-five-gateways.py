# SPDX-License-Identifier: GPL-2.0-or-later
"""The node of five gateways loses its power; both standbys stand in, each for some of them.

Purpose: ranks are turned by the gateway's id, so that not all of a dead node's gateways go to one
node. Pacemaker may promote others; each of those moves is a handover.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server. Gateways l2tp
to l2tp5 have the addresses .100 to .104.

Steps: all five are promoted on one node; a client each dials the first three, and makes traffic;
the power of that node is cut.

Expected: each of the three clients sees a silence of at most 0.6 s, and nothing else; within 0.6 s
both standbys act, one for two gateways, the other for three; each gateway has one owner at a time,
and a node is promoted for each.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES, VPN_GATEWAYS
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import STAND_IN, first_in_rank

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
CLIENTS = ("client1", "client2", "client3")


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), VPN_GATEWAYS))
    stack, dead, standbys = live.stack, live.active, live.standbys
    stacks = [stack.of(gateway) for gateway in VPN_GATEWAYS]
    for each in stacks:
        each.move_role(lambda name: name == dead.name)
    for name, gateway in zip(CLIENTS, VPN_GATEWAYS):
        live.dial(name, gateway)
    for each in stacks:
        first_in_rank(run, each, standbys)
    stack.cluster.spare_successors(dead)
    run.observe(2)
    run.step(f"power cut of {dead.name}, which is promoted for {len(stacks)} gateways")
    dead.power_off()
    for each in stacks:
        each.wait_promoted(node.name for node in standbys)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(4)
    run.expect("gateways_acted_for", sorted(stack.daemon_log(node).count(STAND_IN)
                                            for node in standbys), equals([2, 3]))
    for client in live.clients:
        stack.of(client.gateway).wait_protected(1)
    seen = live.end()
    for name in CLIENTS:
        expect_only_silence(run, seen.client(name), POWER_CUT_MS)
