# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes lose each other, and both reach the witness: who serves continues without a silence.

Purpose: a pair alone falls silent when its nodes lose each other, until power fencing has confirmed
that the other one is off. With a witness the lease decides: the holder has two votes of three, and
the other one is refused.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the cluster links of the promoted node, which is not the
coordinator, are cut, and mended when the other one has lost its power; that one comes back. Then
the same again, with the promoted node as the coordinator.

Expected: only the standby is switched off, both times; the client notices nothing, and the promoted
node was not promoted anew; never two owners.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.steps.live import off_dc
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import UNNOTICED_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import lose_each_other_twice
from vpnlab.steps.pairs.witness import DEVICES, NODES, begin_with_witness

SCENARIO = Scenario(nodes=NODES, faults=2 * len(CLUSTER_LINKS), vpnha=True)


def steps(run: Run) -> None:
    live = begin_with_witness(run, off_dc)
    losses = lose_each_other_twice(live, DEVICES)
    seen = live.end().client("client1")
    for loss in losses:
        run.expect(f"silence_{loss.name}_ms", worst_gap_ms(seen, loss.span), at_most(UNNOTICED_MS))
    expect_nothing_else(run, seen)
