# SPDX-License-Identifier: GPL-2.0-or-later
"""Four gateways become two in one reload; later three become two, and two become one.

Purpose: planned work. A change of the voters takes majorities of the old and the new list, so the
nodes that leave have to answer until the list has changed, whatever corosync.conf has.

Topology: client1 -- outside -- gw1 to gw5 -- inside -- server; gw5 has no power at first.

Steps: client1 dials gw1 and makes traffic. gw3 and gw4 are taken out: in maintenance mode their
Pacemaker ends in good order, while vpnhad votes on; corosync.conf loses both, and is reloaded;
their power goes when the voters are gw1 and gw2. gw5 is added under a relaxed token. Then gw5 is
taken out in the same way, and then gw2. (With vpnhad stopped first, of four voters two would be
left, and of two one: no majority, by the lease's rules.)

Expected: after each reload the voters follow within 10 s, and all nodes name them. No gap longer
than 0.5 s, no other node is promoted, and nothing else happens to the client. The node that is left
is the only voter, and serves.
"""
from collections.abc import Sequence

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import Span, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.voters import set_members, start_new, wait_voters

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "gw5", "client1", "server"), vpnha=True)
GAP_MS = 500.0
SETTLED_S = 3.0


def shrink(live: Live, names: Sequence[str]) -> Span:
    """Returns when it was."""
    run, cluster = live.run, live.stack.cluster
    leaving = [node for node in cluster.nodes if node.name not in names]
    run.step(f"{' and '.join(node.name for node in leaving)}: taken out of corosync.conf")
    begun = run.lab.now()
    cluster.set_maintenance(True)
    for node in leaving:
        cluster.stop_pacemaker(node)
    cluster.set_members(names, by=live.active)
    wait_voters(live, names)
    for node in leaving:
        # Switched off for good: no fault.
        node.kill()
        live.active.run("crm_node", "--force", "--remove", node.name)
    cluster.set_maintenance(False)
    run.observe(SETTLED_S)
    voters = sorted(node.spec.id for node in cluster.nodes)
    run.expect(f"voters_of_{len(names)}",
               {node.name: live.stack.status(node)["lease"]["voters"] for node in cluster.nodes},
               equals({node.name: voters for node in cluster.nodes}))
    return begun, run.lab.now()


def steps(run: Run) -> None:
    new = run.lab.gateway("gw5")
    # A machine that is bought later.
    new.kill()
    live = begin(run, members=("gw1", "gw2", "gw3", "gw4"), place=lambda name, _dc: name == "gw1")
    live.spare_promoted()
    stack = live.stack
    promotions = stack.promotions()
    spans = {"4_to_2": shrink(live, ("gw1", "gw2"))}
    run.step(f"{new.name} is added")
    stack.cluster.relax()
    set_members(live, ("gw1", "gw2", new.name))
    start_new(live, new)
    stack.wait_in_sync()
    stack.cluster.tune()
    spans["3_to_2"] = shrink(live, ("gw1", "gw2"))
    spans["2_to_1"] = shrink(live, ("gw1",))
    run.expect("promotions", stack.promotions(), equals(promotions))
    seen = live.end()
    client = seen.client("client1")
    for name, span in spans.items():
        run.expect(f"gap_{name}_ms", worst_gap_ms(client, span), at_most(GAP_MS))
    expect_nothing_else(run, client)
