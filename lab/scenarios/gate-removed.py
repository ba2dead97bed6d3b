# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody takes the gate off the devices of a standby and of the promoted node; it is back.

Purpose: the gate is a filter of traffic control, which a script for bandwidths replaces with all
others there are. A node without it could be heard although its lease is over.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `tc qdisc del dev … clsact` for both devices of each
gateway.

Expected: vpnhad says so of each device, and all gates are attached again within a second; no gap
longer than 50 ms, or twice the longest of a fault-free time; no standby says a word.
"""
from vpnlab.expectation import is_empty
from vpnlab.live import Live, expect_unnoticed_act
from vpnlab.node import Node
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
DEVICES = ("outside", "inside")
ATTACHED_LIMIT_S = 1
REMOVED = "event=gate-removed"


def steps(run: Run) -> None:
    def remove(live: Live) -> None:
        run.step("the gates are taken off all devices")
        for node in run.lab.gateways:
            for device in DEVICES:
                node.run("tc", "qdisc", "del", "dev", device, "clsact")
            run.wait_for(f"{node.name} has said so", lambda node=node: said(live, node) >= len(
                DEVICES), ATTACHED_LIMIT_S)
            run.expect(f"without_gate_on_{node.name}", live.stack.without_gate(node), is_empty())
    expect_unnoticed_act(run, remove)


def said(live: Live, node: Node) -> int:
    return live.stack.daemon_log(node).count(REMOVED)
