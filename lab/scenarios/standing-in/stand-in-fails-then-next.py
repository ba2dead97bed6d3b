# SPDX-License-Identifier: GPL-2.0-or-later
"""The standby that stands in cannot serve, and the next one does; then that one is cut off.

Purpose: an attempt that fails is no order. Another standby that can serve has to serve, while no
fencing ends and Pacemaker promotes nobody. Pacemaker promotes when a fencing has ended.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the gateway has addresses of IPv4
and IPv6. The power switch refuses everything. Pacemaker's
`stonith-timeout` is 10 s.

Steps: client1 dials and makes traffic. IPv6 is switched off on the outside device of the standby
that is first in rank, so it cannot add an address there. The power of the promoted node is cut.
After 12 s IPv6 is back. The cluster links of the node that stands in are cut for 2.5 s: it and the
third node have no quorum, and it releases after 2 s. Then the power switch obeys again.

Expected: the first in rank stands in and fails, then the other one does. client1 sees a silence of
at most 0.6 s. client1's pings are answered within 3 s after the cluster links are back: Corosync
needs one second of them for a ring. The first in rank stands in from then on, and Pacemaker
promotes it. client1 sees no silence above 250 ms meanwhile. Nothing else happens to the client, and
there is one owner at a time.

The promotion has to wait. Pacemaker asks one node after the other to use the power switch. The cut
loses the answer of one of them. Pacemaker waits for it for 1.2 times `stonith-timeout` for each
device, and a cloned primitive counts as two. That makes 144 s of the default of 60 s, and 24 s of
10 s. The node that stands in serves meanwhile.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.node import Node
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import POWER_CUT_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import (HANDOVER_MS, expect_stood_in, first_in_rank,
                                   power_switch_refuses, wait_stands_in)

SCENARIO = Scenario(faults=4, vpnha=True)
NO_IPV6 = "/proc/sys/net/ipv6/conf/outside/disable_ipv6"
# Nobody stands in twice within 10 s, as long as another one can.
STANDING_IN_S = 12
CUT_OFF_S = 2.5
BACK_S = 3.0
FENCING_TIMEOUT_S = 10


def steps(run: Run) -> None:
    live = begin(run, stack=VpnhaStack(run.lab, Cluster(run.lab), ipv6=True))
    stack, dead, standbys = live.stack, live.active, live.standbys
    stack.cluster.set_fencing_timeout(FENCING_TIMEOUT_S)
    first = first_in_rank(run, stack, standbys)
    second = next(node for node in standbys if node is not first)
    with power_switch_refuses(standbys):
        run.step(f"{first.name} has no IPv6 outside; power cut of {dead.name}, which is promoted")
        first.note_fault("no-ipv6 outside")
        first.put(NO_IPV6, "1")
        cut_at = run.lab.now()
        dead.power_off()
        wait_stands_in(live, [second])
        live.wait_answered()
        cut = (cut_at, run.lab.now())
        run.observe(STANDING_IN_S)
        expect_stood_in(live, first, second)
        first.put(NO_IPV6, "0")
        cut_off(run, second)
        healed_at = run.lab.now()
        live.wait_answered()
        back_at = run.lab.now()
        run.expect("back_after_the_heal_s", round(back_at - healed_at, 2), at_most(BACK_S))
        run.observe(2)
    run.step("the power switch obeys again")
    stack.wait_promoted([first.name])
    stack.wait_protected(1)
    run.observe(2)
    until = run.lab.now()
    seen = live.end()
    client = seen.client("client1")
    run.expect("served_by", [each.node for each in seen.owners],
               equals([dead.name, second.name, first.name]))
    run.expect("silence_ms", worst_gap_ms(client, cut), at_most(POWER_CUT_MS))
    run.expect("silence_afterwards_ms", worst_gap_ms(client, (back_at, until)),
               at_most(HANDOVER_MS))
    expect_nothing_else(run, client)


def cut_off(run: Run, node: Node) -> None:
    """From all other gateways, for a while."""
    run.step(f"{node.name}, which stands in, is cut off")
    for link in CLUSTER_LINKS:
        node.link_down(link)
    run.observe(CUT_OFF_S)
    run.step(f"{node.name} has its cluster links again")
    for link in CLUSTER_LINKS:
        node.link_up(link)
