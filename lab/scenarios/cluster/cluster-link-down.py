# SPDX-License-Identifier: GPL-2.0-or-later
"""Each cluster link of each node is lost for 3 s, one after the other, and nobody notices.

Purpose: a second link between the nodes is there for the loss of the first. With Corosync's default
link_mode the loss of the link in use is the loss of the token: a new membership, silences of up to
1.5 s, needless promotions. With link_mode active each packet goes out on both.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; cluster0 and cluster1 between the
gateways.

Steps: client1 dials and makes traffic; a calm time passes; then the cable of each cluster link of
each node is pulled for 3 s, and the next one when knet calls the link up again.

Expected: knet notices each loss; no membership is formed, nobody is promoted; no gap longer than
50 ms, or twice the longest of the calm time; the same gateway serves, no standby sends anything.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.steps.live import Live, begin
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=6, vpnha=True)
LOST_S = 3.0
NOTICE_LIMIT_S = 10.0
# What the start of traffic leaves to do would lengthen the calm time's gaps.
SETTLED_S = 5.0
# As long as the losses take together, with the times between them.
CALM_S = 24.0


def lose(live: Live, node: Node, number: int) -> None:
    """One link of a node for a while; returns when it is up again on both ends of each of its
    connections."""
    cluster, run = live.stack.cluster, live.run
    others = len(cluster.nodes) - 1
    before = cluster.link_changes(number)
    run.step(f"{node.name} loses {CLUSTER_LINKS[number]}")
    node.link_down(CLUSTER_LINKS[number])
    run.observe(LOST_S)
    run.expect(f"{node.name}_{CLUSTER_LINKS[number]}_lost",
               cluster.link_changes(number).down - before.down, equals(2 * others))
    node.link_up(CLUSTER_LINKS[number])
    run.wait_for(f"knet has {CLUSTER_LINKS[number]} of {node.name} again",
                 lambda: cluster.link_changes(number).up - before.up >= 2 * others,
                 NOTICE_LIMIT_S)


def steps(run: Run) -> None:
    live = begin(run, observe_s=SETTLED_S)
    live.spare_from_promoted()
    cluster = live.stack.cluster
    promotions, memberships = live.stack.promotions(), cluster.memberships()
    calm_from = run.lab.now()
    run.observe(CALM_S)
    lost_at = run.lab.now()
    for node in cluster.nodes:
        for number in range(len(CLUSTER_LINKS)):
            lose(live, node, number)
    until = run.lab.now()
    run.expect("memberships_formed", cluster.memberships() - memberships, equals(0))
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, lost_at), (lost_at, until))
