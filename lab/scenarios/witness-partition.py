# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes lose each other, and both reach the witness: who serves goes on without a silence.

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
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.power import power_events
from vpnlab.steps.live import Live, off_dc
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import UNNOTICED_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.two_nodes import Loss, observed, wait_calm
from vpnlab.steps.pairs.witness import DEVICES, NODES, begin_with_witness

SCENARIO = Scenario(nodes=NODES, faults=2 * len(CLUSTER_LINKS), vpnha=True)
FENCED_LIMIT_S = 15


def lose_each_other(live: Live) -> Loss:
    """Returns when the standby was switched off, and the links are mended."""
    standby = live.standbys[0]
    name = wait_calm(live, live.active, DEVICES)
    live.run.step(f"{live.active.name}, which is promoted ({name}), and {standby.name} lose each "
                  "other")
    for link in CLUSTER_LINKS:
        live.active.link_down(link)
    live.run.wait_for(f"{standby.name} is switched off", lambda: not standby.powered(),
                      FENCED_LIMIT_S)
    live.wait_answered()
    loss = observed(live, name)
    for link in CLUSTER_LINKS:
        live.active.link_up(link)
    return loss


def steps(run: Run) -> None:
    live = begin_with_witness(run, off_dc)
    standby = live.standbys[0]
    promotions = live.stack.promotions()
    losses = [lose_each_other(live)]
    run.step(f"{standby.name} comes back")
    live.stack.rejoin(standby.name)
    live.stack.wait_protected(1)
    losses.append(lose_each_other(live))
    run.expect("promoted_node", [loss.name for loss in losses], equals(["not_dc", "dc"]))
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    run.expect("switched_off", [event.node for event in power_events(run.lab)],
               equals([standby.name, standby.name]))
    run.expect("sessions", len(live.stack.sessions(live.active)), equals(1))
    seen = live.end().client("client1")
    for loss in losses:
        run.expect(f"silence_{loss.name}_ms", worst_gap_ms(seen, loss.span), at_most(UNNOTICED_MS))
    expect_nothing_else(run, seen)
