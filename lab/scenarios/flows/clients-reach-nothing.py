# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients who have dialled in reach nothing of the nodes but an echo, by their own address.

Purpose: a client with a valid account is no administrator. The rules of nftables/node.nft hold for
each protocol, and for the sessions that a successor has resumed as well.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of
nftables/ on all gateways, without NAT. client1 speaks L2TP/IPsec, client2 IKEv2, client3 PPTP.

Steps: all dial and make traffic. Each sends UDP and TCP to ports 22, 5405 and 5420 of its gateway,
at the PPP address, the inside VIP and the address on the cluster's link; the same to another node;
and packets with the address of the server, of the other clients and of another node. client2
changes the policies of its own kernel for that. Each pings its gateway. The power of the promoted
gateway is cut, and all of it is done again with the resumed sessions.

Expected: of all that nothing reaches a program of a node, and nothing is forwarded. The echoes are
answered, a lawful datagram passes, and the clients see the silence of the power cut alone.
"""
from vpnlab.evidence.expectation import equals, is_empty, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.dialler import IKEV2
from vpnlab.product.ruleset import load_rules, table
from vpnlab.steps.clients.every_protocol import CLIENT_NODES, CLIENTS, begin_all
from vpnlab.steps.live import Live
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.reached import (answers, count, forged, lawful, own_ports, to_other_node,
                                    try_all)

SCENARIO = Scenario(nodes=CLIENT_NODES, faults=1, vpnha=True)


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        load_rules(node, L2TP)
        # The server has routes to the clients: what a packet's source was is seen to its end.
        node.run("nft", "delete", "chain", "inet", table(L2TP), "nat")
        count(node)
    live = begin_all(run)
    expect_nothing_reached(run, live, live.active, "stock")
    successor = live.cut_power(live.active)
    live.stack.wait_protected(len(CLIENTS))
    expect_nothing_reached(run, live, successor, "resumed")
    seen = live.end()
    for name in CLIENTS:
        expect_only_silence(run, seen.client(name), TAKEOVER_MS)


def expect_nothing_reached(run: Run, live: Live, node: Node, what: str) -> None:
    """`node`: which serves. `what`: in whose hands the sessions are."""
    other = next(each for each in run.lab.gateways if each is not node and each.powered())
    addresses = {client.name: client.dialled()[-1].local for client in live.clients}
    for client in live.clients:
        run.step(f"{client.name} tries what it may not, with a {what} session of {client.protocol}")
        own = addresses[client.name]
        others = [each for name, each in addresses.items() if name != client.name]
        allowed = lawful(own)
        found = try_all(client, [*own_ports(own, node), *to_other_node(own, other),
                                 *forged(others, node, other), allowed], run.lab.gateways)
        title = f"{client.name}_{what}"
        run.expect(f"{title}_lawful_passes", str(allowed) in found, is_true())
        run.expect(f"{title}_reached", [each for each in found if each != str(allowed)],
                   is_empty())
        device = client.dialled()[-1].interface
        # What is within the traffic selectors of a client of IKEv2.
        targets = ((L2TP.vip_inside,) if client.protocol == IKEV2
                   else (L2TP.ppp_local, L2TP.vip_inside))
        run.expect(f"{title}_echoes", [answers(client.node, device, each) for each in targets],
                   equals([True] * len(targets)))
