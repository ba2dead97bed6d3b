# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways with IPsec, each promoted on a node of its own, outlive the power cut of each node.

Purpose: a gateway in a network namespace of its own has its charon, xl2tpd, SAs, routes and gate
there, on each node, beside a gateway in the host's namespace. Neither notices what happens to the
other one, but by the death of its own node.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server; home1 -- home -- nat1 --
outside. Gateway l2tp is in the host's namespace, l2tp2 in the namespace apart, by macvlan devices.

Steps: client1 dials IKEv2 to l2tp; client2 IKEv2 and home1 L2TP/IPsec to l2tp2. All make traffic.
Three times: the power of a node that has not died yet and serves a gateway is cut, its gateway goes
on at another node, the dead node returns and is in sync with both. A node that serves both then
gives one to a node that serves none.

Expected: a client of the gateway that has lost its node sees a silence of at most 1 s each time,
and nothing else; the other gateway stays where it is. No ESP number is used twice, and no standby
sends a packet.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.topology import L2TP, L2TP_APART
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import Ikev2Client, L2tpIpsecClient
from vpnlab.product.sites.home import start_nat
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.ipsec.apart import keep_apart
from vpnlab.steps.ipsec.live import IPSEC_NODES
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*IPSEC_NODES, "client2"), faults=3, vpnha=True)


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), (L2TP, L2TP_APART), ipsec=True))
    first = live.stack
    second = first.of(L2TP_APART)
    keep_apart(run, first, second)
    live.dial("client1", L2TP, Ikev2Client)
    live.dial("client2", L2TP_APART, Ikev2Client)
    live.dial("home1", L2TP_APART, L2tpIpsecClient)
    run.observe(2)
    victims: list[str] = []
    for _ in range(3):
        serving = keep_apart(run, first, second)
        victim = next((node for node in serving if node.name not in victims), None)
        if victim is None:
            last = next(node for node in first.cluster.nodes if node.name not in victims)
            run.step(f"l2tp2 moves to {last.name}, which is the last to die")
            victim = second.move_role(lambda name: name == last.name)
        victims.append(victim.name)
        others = [node.name for node in first.cluster.nodes if node is not victim]
        lost, kept = (first, second) if first.promoted() is victim else (second, first)
        kept_by = kept.promoted()
        first.cluster.spare_successors(victim)
        run.step(f"power cut of {victim.name}, which serves {lost.gateway.name}")
        victim.power_off()
        lost.wait_promoted(others)
        for client in live.clients:
            live.wait_answered(client)
        run.expect(f"other_stayed_without_{victim.name}", kept.promoted() is kept_by, is_true())
        first.rejoin(victim.name)
        second.wait_in_sync()
        first.wait_protected(1)
        second.wait_protected(2)
        run.observe(2)
    seen = live.end()
    run.expect("each_node_died_once", sorted(victims), equals(["gw1", "gw2", "gw3"]))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
