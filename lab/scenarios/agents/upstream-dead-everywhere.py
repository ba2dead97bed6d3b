# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gateways ask outside and inside is gone for all of them: nobody moves.

Purpose: a gateway moves to better links, not away from bad ones. No node reaches the router or the
server, so every move would cost a silence and mend nothing.

Topology: client1 and client2 (the router that is asked) -- outside -- gw1, gw2, gw3 -- inside --
server (which is asked, too).

Steps: client1 dials and makes traffic; the links of client2 and of the server are down for 10 s.

Expected: each gateway notices both; no promotion; afterwards the same session continues, and the
client had nothing to do with it.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.cluster import Cluster
from vpnlab.steps.links import ROUTER, SERVER, ProbingStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_nothing_else
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, ROUTER), faults=2, vpnha=True)
DEAD_S = 10
NOTICED_S = 5


def steps(run: Run) -> None:
    live = begin(run, stack=ProbingStack(run.lab, Cluster(run.lab)))
    stack = live.stack
    for node in run.lab.gateways:
        run.expect(f"{node.name}_links_before", stack.status(node)["links"],
                   equals({"outside": "good", "inside": "good", "giving_away": False}))
    promotions = stack.promotions()
    run.step(f"{ROUTER} and {SERVER} are gone for everybody")
    run.lab.node(ROUTER).link_down("outside")
    run.lab.node(SERVER).link_down("inside")
    for node in run.lab.gateways:
        for side in ("outside", "inside"):
            run.wait_for(f"{node.name} notices that nobody answers {side}",
                         lambda: f"{side} link: no-answer" in stack.daemon_log(node),
                         NOTICED_S)
    run.observe(DEAD_S)
    run.step("they are back")
    run.lab.node(ROUTER).link_up("outside")
    run.lab.node(SERVER).link_up("inside")
    live.wait_answered()
    run.observe(3)
    run.expect("moves", stack.promotions() - promotions, equals(0))
    seen = live.end()
    expect_nothing_else(run, seen.client("client1"))
