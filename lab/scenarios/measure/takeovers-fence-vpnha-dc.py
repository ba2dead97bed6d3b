# SPDX-License-Identifier: GPL-2.0-or-later
"""Twenty takeovers of one session, as a distribution: the dead node is the cluster's DC.

Purpose: the figures of docs/explain/performance.md (`tests/bench/run --only takeovers`).

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: twenty times the power of the promoted node is cut, which is the cluster's DC. It is
fenced by the marks of the others' voters (fence_vpnha), power second, and comes back as a standby.

Expected: no silence longer than 3 s; the session is the same after all twenty.
"""
from vpnlab.product.cluster import FENCE_VPNHA_FIRST
from vpnlab.steps.live import on_dc
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.takeovers import ROUNDS, take_over_again_and_again

SCENARIO = Scenario(faults=ROUNDS, vpnha=True)


def steps(run: Run) -> None:
    take_over_again_and_again(run, on_dc, FENCE_VPNHA_FIRST)
