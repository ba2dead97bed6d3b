# SPDX-License-Identifier: GPL-2.0-or-later
"""For ten minutes nothing is sent from a gateway's addresses but by the node that serves it.

Purpose: the standbys hold every session hot, in kernels that would answer. Two gateways crosswise
make each node a standby of one while it serves the other; and something on the standbys tries all
the time to send from addresses that are not theirs.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; gateways l2tp and l2tp2
have VIPs with IPv4 and IPv6 on both sides.

Steps: l2tp is promoted on gw1, l2tp2 on gw2; client1 dials the one, client2 the other, both make
traffic and ping their gateway's IPv6 VIP; server pings the VIPs inside. On each node a program
sends ARP, neighbour advertisements and datagrams once a second on both sides, as whole frames, from
the VIPs, the PPP address, the client's address and an IPv6 address of the pool of each gateway that
the node does not serve.

Expected: not one of those frames on the wire, on either side: the nodes' gates dropped them. All
that was seen to send from a VIP, with IPv4 and with IPv6, was the node that is promoted; the
sessions lived on, and nobody was promoted.
"""
import ipaddress

from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), vpnha=True)
OBSERVED_S = 600
FORGED_EVERY_S = 1.0
# Six nodes share two cores for so long: the host may stop one of them for a second.
LIVED_MS = 2500
UNSEEN_S = 10
SIDES = ("outside", "inside")
PING_EVERY_S = "0.2"
DIALLED = {"client1": L2TP, "client2": L2TP_2}
PROMOTED_ON = {L2TP: "gw1", L2TP_2: "gw2"}


def steps(run: Run) -> None:
    for node in (*run.lab.gateways, run.lab.node("client1"), run.lab.node("client2")):
        node.run("ip", "address", "add", f"{node.spec.address6('outside')}/64", "dev", "outside",
                 "nodad")
    for node in (*run.lab.gateways, run.lab.node("server")):
        node.run("ip", "address", "add", f"{node.spec.address6('inside')}/64", "dev", "inside",
                 "nodad")
    live = begin(run, clients=(), place=lambda name, _dc: name == PROMOTED_ON[L2TP], observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), (L2TP, L2TP_2), ipv6=True))
    stack = live.stack
    serving = {L2TP: live.active,
               L2TP_2: stack.of(L2TP_2).move_role(lambda name: name == PROMOTED_ON[L2TP_2])}
    # A node that the host stops for a second is no dead one; its lease ends all the same.
    stack.cluster.default_token()
    clients = {gateway: live.dial(name, gateway) for name, gateway in DIALLED.items()}
    for name, gateway in DIALLED.items():
        ping(run.lab.node(name), gateway.vip6_outside)
        for address in (gateway.vip_inside, gateway.vip6_inside):
            ping(run.lab.node("server"), address)
    promotions = [stack.of(gateway).promotions() for gateway in serving]

    run.step("who does not serve a gateway tries to speak for it")
    for node in run.lab.gateways:
        forged = [address for gateway, active in serving.items() if node is not active
                  for address in (*gateway.vips, gateway.ppp_local,
                                  clients[gateway].dialled()[-1].local,
                                  str(ipaddress.ip_network(gateway.net6)[1]))]
        for side in SIDES:
            node.start_tool("hostile/forger.py", side, str(FORGED_EVERY_S), *forged,
                            output=f"/run/lab/forger-{side}.log")
    begun = run.lab.now()
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.expect("promotions", [stack.of(gateway).promotions() for gateway in serving],
               equals(promotions))
    for node in run.lab.gateways:
        for gateway, active in serving.items():
            if node is not active:
                run.expect(f"dropped_on_{node.name}_of_{gateway.name}",
                           dropped(stack.of(gateway).gate(node)),
                           at_least(OBSERVED_S / FORGED_EVERY_S * len(SIDES)))

    seen = live.end()
    for gateway, active in serving.items():
        for address in gateway.vips:
            spans = [each for each in seen.ownerships if each.address == address
                     and each.end > begun and each.start < until]
            run.expect(f"{address}_spoken_for_by", sorted({each.node for each in spans}),
                       equals([active.name]))
            run.expect(f"{address}_seen_s", round(sum(
                min(each.end, until) - max(each.start, begun) for each in spans)),
                at_least(OBSERVED_S - UNSEEN_S))
    for name in DIALLED:
        expect_only_silence(run, seen.client(name), LIVED_MS)


def ping(node: Node, address: str) -> None:
    node.start("ping", "-n", "-q", "-i", PING_EVERY_S, address)


def dropped(gate: dict) -> int:
    """Packets out, because the node is not promoted."""
    return sum(gate["drops"]["out"]["standby"].values())
