# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody flushes all nftables rules of a standby and of the promoted node; nobody notices.

Purpose: the gate is no rule of a firewall that somebody else's tool may take away.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `nft flush ruleset` on all gateways.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; no standby sends
anything.
"""
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)


def steps(run: Run) -> None:
    def flush(_live: Live) -> None:
        run.step("nft flush ruleset on all gateways")
        for node in run.lab.gateways:
            node.run("nft", "flush", "ruleset")
    expect_unnoticed_act(run, flush)
