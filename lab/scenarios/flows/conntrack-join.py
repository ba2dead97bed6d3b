# SPDX-License-Identifier: GPL-2.0-or-later
"""A node joins while the gateway has 100 000 flows, has them all, and no client notices.

Purpose: a joiner is sent everything, between what is urgent. Flows are what there is most of.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways.

Steps: client1 dials and makes traffic; a standby loses its power; 100 000 flows of clients are
written into the promoted node's kernel, and reach the other standby; the first one is switched on
again, boots, starts its cluster and joins.

Expected: its kernel has exactly the flows of the promoted node's, and client1 sees no gap longer
than 50 ms, or twice the longest of a fault-free time with the same flows.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import BEHIND_THE_OTHERS
from vpnlab.host.topology import L2TP
from vpnlab.product.ruleset import load_rules
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import MADE_UP, add_flows, digest, prepare, tracked

SCENARIO = Scenario(faults=1, vpnha=True)
FLOWS = 100_000
HOT_LIMIT_S = 60
JOIN_LIMIT_S = 90
CALM_S = 10


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run, place=off_dc, observe_s=0)
    live.spare_promoted()
    stack, joiner = live.stack, live.plain_standby
    kept = next(node for node in live.standbys if node is not joiner)
    run.step(f"{joiner.name}, a standby, has no power; {FLOWS} flows come")
    joiner.power_off()
    run.wait_for(f"the group has lost {joiner.name}",
                 lambda: joiner.spec.id not in stack.members(live.active), 10)
    stack.cluster.relax()
    came_at = run.lab.now()
    run.expect("refused_by_the_kernel", add_flows(live.active, FLOWS), equals(0))
    written_at = run.lab.now()
    wanted = digest(live.active, MADE_UP)
    run.expect("flows", wanted.flows, equals(FLOWS))
    run.wait_for(f"{kept.name} has them", lambda: tracked(kept) >= FLOWS, HOT_LIMIT_S)
    run.event(kept.name, "flows", f"hot {run.lab.now() - came_at:.1f} s after the first was "
              f"written, {run.lab.now() - written_at:.1f} s after the last")
    run.expect(f"flows_of_{kept.name}", digest(kept, MADE_UP) == wanted, equals(True))
    calm_from = run.lab.now()
    run.observe(CALM_S)

    run.step(f"{joiner.name} is switched on")
    on_at = run.lab.now()
    # The joiner has a core of its own in life; here it gets what the others leave.
    run.lab.power_on(joiner.name, nice=BEHIND_THE_OTHERS)
    load_rules(joiner, L2TP)
    stack.configure(joiner)
    stack.cluster.join(joiner.name)
    online_at = run.lab.now()
    run.wait_for(f"{joiner.name} has the flows", lambda: tracked(joiner) >= FLOWS, JOIN_LIMIT_S)
    stack.wait_complete(joiner, JOIN_LIMIT_S)
    until = run.lab.now()
    joiner.prefer()
    run.expect("in_sync_after_s", round(until - online_at, 1), at_most(JOIN_LIMIT_S))
    run.expect("flows_of_the_joiner", digest(joiner, MADE_UP) == wanted, equals(True))
    run.expect("replica_of_the_joiner", stack.status(joiner)["replica"], equals("complete"))
    run.expect("flows_in_the_replica", stack.conntrack(joiner)["flows"],
               equals(stack.conntrack(live.active)["flows"]))
    run.expect("still_the_same", digest(live.active, MADE_UP) == wanted, equals(True))
    stack.cluster.tune()

    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, on_at), (on_at, until))
