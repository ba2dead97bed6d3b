# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of L2TP/IPsec behind one NAT address are served side by side, and outlive their gateway.

Purpose: to L2TP they have one address and one port. vpnhad gives each of them a private port by the
mark of its SA, and the same one on every node, whatever marks that node's charon counts.

Topology: home1, home2 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 --
outside. All speak L2TP/IPsec.

Steps: home1 and home2 dial and make traffic at the same time; the ruleset of the promoted gateway
is flushed, and its power cut a little later; client1 dials at its successor; that one dies too.

Expected: home1 and home2 see a short gap, and two silences of at most 1 s each, client1 one, and
nobody anything else.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

HOMES = ("home1", "home2")
SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "client1", "server", "nat1", *HOMES), faults=2,
                    vpnha=True)
# 100 ms until the map is there again, and what nft and a node of the lab take.
FLUSHED_MS = 400


def steps(run: Run) -> None:
    start_nat(run.lab)
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    live.dial_all(dict.fromkeys(HOMES, L2tpIpsecClient))
    run.observe(3)
    run.step(f"nft flush ruleset on {live.active.name}")
    flushed_at = run.lab.now()
    live.active.run("nft", "flush", "ruleset")
    run.observe(3)
    flushed = (flushed_at, run.lab.now())
    # What comes next is no part of it.
    run.observe(1)

    successor = live.cut_power(live.active)
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(len(HOMES))
    run.step(f"client1 dials; {successor.name} serves it beside what it has taken over")
    live.dial("client1", dialler=L2tpIpsecClient)
    run.observe(2)
    live.cut_power(successor)
    live.stack.wait_protected(len(live.clients))
    run.observe(3)

    seen = live.end()
    for name in HOMES:
        run.expect(f"{name}_flushed_gap_ms", worst_gap_ms(seen.client(name), flushed),
                   at_most(FLUSHED_MS))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
