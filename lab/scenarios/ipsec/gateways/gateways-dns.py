# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients dial one name with the VIPs of two gateways, and a power cut changes nobody's VIP.

Purpose: one name of DNS with an address record for the VIP of each gateway spreads clients over
gateways, and so over nodes. A session stays with its VIP, which moves to another node: nobody asks
DNS again, and no record changes.

Topology: client1 to client4 -- outside -- gw1, gw2, gw3 -- inside -- server; home1 -- home -- nat1
-- outside. Gateway l2tp is in the host's namespace, l2tp2 in the namespace apart. nat1 runs dnsmasq
with both VIPs under one name, and asks nobody else.

Steps: the gateways are promoted on two nodes. client1, client2 and home1 dial the name by IKEv2 and
make traffic. The power of the node that serves l2tp is cut, and its gateway continues at another
one. Then client3 and client4 dial the name.

Expected: each gateway has one of the first three clients at least. Each of them sees a silence of
at most 0.6 s and nothing else, has its inner address still, and has asked for the name once. Each
VIP serves one of those who dial after the power cut. No ESP number is used twice, and no standby
sends anything.
"""
import functools

from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import L2TP, L2TP_APART, NAT
from vpnlab.product.cluster import Cluster
from vpnlab.product.probes import Pace
from vpnlab.product.sites.home import start_nat
from vpnlab.product.sites.one_name import NameServer, OneNameClient
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.ipsec.apart import keep_apart
from vpnlab.steps.ipsec.live import IPSEC_NODES
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

GATEWAYS = (L2TP, L2TP_APART)
FIRST, NEWCOMERS = ("client1", "client2", "home1"), ("client3", "client4")
SCENARIO = Scenario(nodes=(*IPSEC_NODES, "client2", *NEWCOMERS), faults=1, vpnha=True)
# Together five clients ask as often as two of other scenarios do.
PACE = Pace(ping_s=0.05, record_s=0.1)
NAME_SERVER_S, BEFORE_S, AFTERWARDS_S = 10, 3, 5
NAMES = sorted(gateway.name for gateway in GATEWAYS)


def steps(run: Run) -> None:
    run.pace = PACE
    start_nat(run.lab)
    names = NameServer(run.lab.node(NAT), GATEWAYS)
    names.start()
    run.wait_for("the name server listens", names.ready, NAME_SERVER_S)
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), GATEWAYS, ipsec=True))
    lost, kept = live.stack, live.stack.of(L2TP_APART)
    victim, other = keep_apart(run, lost, kept)
    dialler = functools.partial(OneNameClient, server=run.lab.node(NAT).address("outside"),
                                gateways=GATEWAYS)
    live.dial_all(dict.fromkeys(FIRST, dialler))
    spread = {client.name: client.gateway.name for client in live.clients}
    run.step(f"served by: {spread}")
    run.expect("spread", sorted(set(spread.values())), equals(NAMES))
    run.expect("lookups_before", names.lookups(), equals(len(FIRST)))

    def addresses() -> list[list[str]]:
        return [sorted(each["address"] for each in stack.sessions(stack.wait_in_sync()))
                for stack in (lost, kept)]

    had = addresses()
    run.observe(BEFORE_S)
    lost.cluster.spare_successors(victim)
    run.step(f"power cut of {victim.name}, which serves {lost.gateway.name}")
    victim.power_off()
    lost.wait_promoted(node.name for node in lost.cluster.nodes if node is not victim)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(AFTERWARDS_S)
    run.expect("other_gateway_is_at", kept.wait_in_sync().name, equals(other.name))
    run.expect("addresses", addresses(), equals(had))
    run.expect("lookups_after", names.lookups(), equals(len(FIRST)))

    live.dial_all(dict.fromkeys(NEWCOMERS, dialler))
    run.expect("newcomers_served_by", sorted(
        client.gateway.name for client in live.clients if client.name in NEWCOMERS), equals(NAMES))
    run.expect("lookups_of_newcomers", names.lookups() - len(FIRST), equals(len(NEWCOMERS)))
    run.observe(AFTERWARDS_S)
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), POWER_CUT_MS)
