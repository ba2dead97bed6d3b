# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody flushes all nftables rules of a standby and of the promoted node; nobody notices.

Purpose: the gate is no rule of a firewall that somebody else's tool may take away.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `nft flush ruleset` on all gateways.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; no standby says a
word.
"""
from vpnlab.expectation import equals
from vpnlab.live import begin
from vpnlab.promise import expect_unnoticed
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
OBSERVED_S = 6


def steps(run: Run) -> None:
    live = begin(run, observe_s=0)
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    run.step("nft flush ruleset on all gateways")
    flushed_at = run.lab.now()
    for node in run.lab.gateways:
        node.run("nft", "flush", "ruleset")
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, flushed_at), (flushed_at, until))
