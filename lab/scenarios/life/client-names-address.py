# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients name their own addresses: a free one of a pool continues, a node's is installed nowhere.

Purpose: with pppd's `ipcp-accept-remote` a client has the address that it asks for. No node may
route to it in the place of one that it needs itself, as the address of another node.

Topology: client1 and client2 -- outside -- gw1, gw2, gw3 -- inside -- server. pppd gives addresses
of a range of its own, and takes those that clients name. There is no common pool.

Steps: client1 names a free address of the pools, client2 the cluster address of a standby. The
power of the promoted gateway is cut.

Expected: both get in. client1's session is protected, and continues as in l2tp-power-cut.
client2's is unprotected on all nodes, and the reason names the node, in `status --check`, too. No
standby has a route to its address, before the power cut and after it, but by the cluster's link;
both survivors stay members.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "client1", "client2"), faults=1,
                    vpnha=True)
FREE = "10.200.1.7"
LIMIT_S = 15
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    live = begin(run, clients=(), place=off_dc, observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ppp=["ipcp-accept-remote"]))
    run.step(f"client1 names {FREE}, which is free")
    client = live.dial("client1", dialler=lambda node, gateway: L2tpClient(
        node, gateway=gateway, ppp=[f"{FREE}:"]))
    run.expect("address_of_client1", client.dialled()[0].local, equals(FREE))
    odd, owner = live.standbys
    taken = owner.spec.address("cluster0")
    run.step(f"client2 names {taken}, which is {owner.name}'s")
    dialler = L2tpClient(run.lab.node("client2"), ppp=[f"{taken}:"])
    dialler.start()
    run.wait_for("client2's xl2tpd is ready", dialler.ready, LIMIT_S)
    dialler.dial()
    run.wait_for("client2 has a session", dialler.up, LIMIT_S)
    for node in run.lab.gateways:
        run.wait_for(f"{node.name} shows it as unprotected",
                     lambda: reason_of(live.stack, node) is not None, LIMIT_S)
        run.expect(f"{node.name}_names_the_node",
                   f"{taken} is that of node {owner.name}" in (reason_of(live.stack, node) or ""),
                   is_true())
    output = live.active.run("vpnha", "status", "--check", check=False).stdout
    run.expect("status_check_shows_why", f"{taken} is that of node {owner.name}" in output,
               is_true())
    run.expect("before", way(odd, taken), equals("cluster0"))
    run.observe(AFTERWARDS_S)
    live.cut_power(live.active)
    run.observe(AFTERWARDS_S)
    run.expect("after", way(odd, taken), equals("cluster0"))
    run.expect("members", sorted(live.stack.members(odd)),
               equals(sorted(node.spec.id for node in (odd, owner))))
    dialler.hang_up()
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def reason_of(stack: VpnhaStack, node: Node) -> str | None:
    """Of the session that is unprotected."""
    return next((each["reason"] for each in stack.sessions(node)
                 if each["state"] == "unprotected"), None)


def way(node: Node, address: str) -> str:
    """The device by which the node sends to the address."""
    found = node.run("ip", "route", "get", address).stdout.split()
    return found[found.index("dev") + 1]
