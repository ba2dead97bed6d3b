# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes lose each other and both live: the promoted one is left, with its sessions.

Purpose: each can switch the other one off, and neither knows whether it is dead. Without an order
they kill each other, or the one that serves. fence_vpnha in mode=yield lets the promoted one go
first, also when the other one is the cluster's coordinator, whose Pacemaker acts sooner.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; two_node in corosync.conf;
stonith/two-nodes.crm.

Steps: client1 dials and makes traffic; the cluster links of the promoted node, which is not the
coordinator, are cut, and mended when the other one has lost its power; that one comes back. Then
the same again, with the promoted node as the coordinator.

Expected: only the standby is switched off, both times; the promoted node serves on after a silence
of at most 3 s and nothing else, and was not promoted anew; never two owners.
"""
from vpnlab.evidence.expectation import at_least
from vpnlab.product.cluster import TWO_NODES
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import expect_silences, lose_each_other_twice

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=2 * len(CLUSTER_LINKS),
                    vpnha=True)


def steps(run: Run) -> None:
    live = begin(run, fencing=TWO_NODES, place=off_dc)
    losses = lose_each_other_twice(live)
    run.expect("went_on_alone", live.stack.daemon_log(live.active).count("event=alone"),
               at_least(2))
    seen = live.end()
    expect_silences(run, seen.client("client1"), losses)
