# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway of L2TP on port 1703: it can be drained, and a session outlives its power cut.

Purpose: `port` of [gateway.NAME.l2tp] may be any. Whatever looks at L2TP by its port (the gate, and
the shipped ruleset) looks at that one.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server;
nftables/gateway.nft on each gateway.

Steps: client1 dials port 1703 and makes traffic. The gateway is drained; client2 dials. The power
of the promoted gateway is cut; client2 dials again. The gateway is undrained; client3 dials.

Expected: client2 has no session while the gateway is drained, and the gates have counted it; then
client3 has one. client1 sees the silence of the power cut and nothing else.
"""
import dataclasses

from vpnlab.evidence.expectation import is_true
from vpnlab.host.topology import DEFAULT_NODES, L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.ruleset import load_rules
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.drained import expect_refused
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
OTHER = dataclasses.replace(L2TP, l2tp_port=1703)


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab), gateways=(OTHER,),
                       waiting=(OTHER,) if run.waiting else ())
    live = begin(run, clients=(), place=off_dc, stack=stack)
    for node in stack.cluster.nodes:
        load_rules(node, OTHER)
    first = live.active
    run.step("client1 dials port 1703")
    live.dial("client1", gateway=OTHER)
    run.step(f"{first.name} is drained")
    first.run("vpnha", "drain", OTHER.name, "--no-wait")
    newcomer = run.client(L2tpClient(run.lab.node("client2"), gateway=OTHER))
    expect_refused(run, newcomer, first, stack)

    successor = live.cut_power(first)
    run.expect("drained", stack.status(successor)["drained"], is_true())
    expect_refused(run, newcomer, successor, stack)

    run.step(f"{successor.name} is undrained")
    successor.run("vpnha", "undrain", OTHER.name)
    last = run.client(L2tpClient(run.lab.node("client3"), gateway=OTHER))
    last.dial()
    stack.wait_protected(2)
    last.hang_up()
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
