# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad dies with a standby that stands in, and without.

Purpose: the figures of docs/explain/performance.md (`tests/bench/run --only standing_in`).

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. A standby of gateway
l2tp stands in, those of l2tp2 wait (`stand_in = false`); they are promoted on different nodes.

Steps: in turns vpnhad of the node of each is killed, five times each.

Expected: no silence longer than 5 s; both sessions are the same at the end.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import anywhere
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in_rounds import ROUNDS, clear, compare

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2 * ROUNDS, vpnha=True)


def steps(run: Run) -> None:
    compare(run, anywhere, lambda _stack, node: node.kill_process(DAEMON), clear,
            apart=True)
