# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby stands in, and Corosync has no quorum for it.

Purpose: where the lease and Corosync are not of one mind, a node serves for as long as a ring may
take to form, and no longer.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the standby that is last in rank filters Corosync's
datagrams, and nothing else; the power of the promoted node is cut. 5 s later the filter goes away.

Expected: the first in rank serves within 1 s, and gives it back between 1.5 and 3 s later. With
Corosync's quorum a standby may act again, and a node is promoted, in the same session; one owner
at a time.
"""
from vpnlab.evidence.expectation import at_most, between, is_true
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import ENDED, expect_stood_in, first_in_rank, wait_stands_in

SCENARIO = Scenario(faults=2, vpnha=True)
# One for each cluster link.
COROSYNC_PORTS = (5405, 5406)
ALONE_S = 5
SERVED_S = 1


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    first = first_in_rank(run, live.stack, live.standbys)
    other = next(node for node in standbys if node is not first)
    stack.cluster.spare_successors(dead)
    run.step(f"{other.name} receives no Corosync, and {dead.name} loses its power")
    for port in COROSYNC_PORTS:
        other.filter_port(port)
    dead.power_off()
    cut_at = run.lab.now()
    run.expect("the_first_in_rank_acts", wait_stands_in(live, standbys) is first, is_true())
    run.observe(ALONE_S)
    run.expect("it_acts_no_more", ENDED in stack.daemon_log(first), is_true())
    expect_stood_in(live, first)
    run.step(f"{other.name} receives Corosync again")
    other.unfilter_port()
    stack.wait_promoted(node.name for node in standbys)
    live.wait_answered()
    stack.wait_protected(1)
    run.observe(2)
    seen = live.end()
    run.expect("outage_ms", worst_gap_ms(seen.client("client1"), (cut_at, cut_at + SERVED_S)),
               at_most(TAKEOVER_MS))
    served = next(each for each in seen.ownerships if each.node == first.name)
    run.expect("acted_s", round(served.end - served.start, 3), between(1.5, 3.0))
    expect_nothing_else(run, seen.client("client1"))
