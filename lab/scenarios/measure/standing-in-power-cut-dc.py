# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts with a standby that stands in, and without: the dead node is the DC.

Purpose: the figures of docs/explain/performance.md (`tests/bench/run --only standing_in`).

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. A standby of gateway
l2tp stands in, those of l2tp2 wait (`stand_in = false`); they are promoted on different nodes.

Steps: in turns the power of the node of each is cut, five times each, which is the cluster's DC. It
comes back as a standby.

Expected: no silence longer than 5 s; both sessions are the same at the end.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import on_dc
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in_rounds import ROUNDS, compare, cut_power, rejoin

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2 * ROUNDS, vpnha=True)


def steps(run: Run) -> None:
    compare(run, on_dc, cut_power, rejoin)
