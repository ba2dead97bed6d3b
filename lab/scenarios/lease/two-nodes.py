# SPDX-License-Identifier: GPL-2.0-or-later
"""Of two nodes the promoted one dies; power fencing confirms it, and the other one continues alone.

Purpose: two voters are both needed, and a node that receives nothing cannot know whether the other
one is dead. Power knows; fence_vpnha in mode=confirm notifies vpnhad when the power device has
succeeded.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; two_node in corosync.conf;
stonith/two-nodes.crm.

Steps: client1 dials and makes traffic; the power of the promoted node, which is not the cluster's
coordinator, is cut; it comes back. Then the power of the other one is cut, which is promoted now,
and is the coordinator; it comes back.

Expected: a silence of at most 3 s each time and nothing else; never two owners; the node that is
left continued alone, and the other one is a standby in sync again.
"""
from vpnlab.evidence.expectation import at_least, equals
from vpnlab.host.node import Node
from vpnlab.product.cluster import TWO_NODES
from vpnlab.steps.live import Live, begin, off_dc
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import Loss, expect_silences, observed, wait_calm

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=2, vpnha=True)


def lose(live: Live, dead: Node, left: Node) -> Loss:
    """Returns when the dead one is a standby again."""
    name = wait_calm(live, dead)
    alone = live.stack.daemon_log(left).count("event=alone")
    live.cut_power(dead)
    loss = observed(live, name)
    live.run.expect(f"went_on_alone_{name}",
                    live.stack.daemon_log(left).count("event=alone") - alone, at_least(1))
    live.run.expect(f"sessions_{name}", len(live.stack.sessions(left)), equals(1))
    live.run.step(f"{dead.name} comes back")
    live.stack.rejoin(dead.name)
    live.stack.wait_protected(1)
    return loss


def steps(run: Run) -> None:
    live = begin(run, fencing=TWO_NODES, place=off_dc)
    first, second = live.active, live.standbys[0]
    losses = [lose(live, first, second), lose(live, second, first)]
    run.expect("dead", [loss.name for loss in losses], equals(["not_dc", "dc"]))
    seen = live.end()
    expect_silences(run, seen.client("client1"), losses)
