# SPDX-License-Identifier: GPL-2.0-or-later
"""The standby that stands in cannot serve, and the next one does; then that one is cut off.

Purpose: an attempt that fails is no order. Another standby that can serve has to serve, while no
fencing ends and Pacemaker promotes nobody.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the gateway has addresses of IPv4
and IPv6; `stand_in = true` on all gateways. The power switch refuses everything.

Steps: client1 dials and makes traffic. IPv6 is switched off on the outside device of the standby
that is first in rank, so it cannot add an address there. The power of the promoted node is cut.
After 12 s IPv6 is back. The cluster links of the node that acts are cut for 2.5 s: it and the third
node have no quorum, and it releases after 2 s. Then the power switch obeys again.

Expected: the first in rank acts and fails, and the other one acts within 1 s. client1 sees a
silence of at most 2 s. client1's pings are answered within 3 s after the cluster links are back:
Corosync needs one second of them for a ring. Nothing else happens to the client, and there is one
owner at a time.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.acting import expect_acted, first_in_rank, power_switch_refuses, wait_acting
from vpnlab.steps.live import begin
from vpnlab.steps.partition import CLUSTER_LINKS
from vpnlab.steps.promise import expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)
NO_IPV6 = "/proc/sys/net/ipv6/conf/outside/disable_ipv6"
# Nobody stands in twice within 10 s, as long as another one can.
ACTING_S = 12
CUT_OFF_S = 2.5
SILENCE_MS, NEXT_MS, BACK_S = 2000, 1000, 3.0


def steps(run: Run) -> None:
    live = begin(run, stack=VpnhaStack(run.lab, Cluster(run.lab), ipv6=True, stand_in=(L2TP,)))
    stack, dead, standbys = live.stack, live.active, live.standbys
    first = first_in_rank(run, stack, standbys)
    second = next(node for node in standbys if node is not first)
    with power_switch_refuses(standbys):
        run.step(f"{first.name} has no IPv6 outside; power cut of {dead.name}, which is promoted")
        first.note_fault("no-ipv6 outside")
        first.put(NO_IPV6, "1")
        cut_at = run.lab.now()
        dead.power_off()
        wait_acting(live, [second])
        live.wait_answered()
        cut = (cut_at, run.lab.now())
        run.observe(ACTING_S)
        expect_acted(live, first, second)
        first.put(NO_IPV6, "0")
        cut_off(run, second)
        healed_at = run.lab.now()
        live.wait_answered()
        run.expect("back_after_the_heal_s", round(run.lab.now() - healed_at, 2), at_most(BACK_S))
        run.observe(2)
    run.step("the power switch obeys again")
    # Who acts serves without a limit. After a coordinator was cut off Pacemaker's nodes may need
    # minutes to join anew, so its promotion is no part of this.
    stack.wait_protected(1)
    seen = live.end()
    client = seen.client("client1")
    run.expect("silence_ms", worst_gap_ms(client, cut), at_most(SILENCE_MS))
    acts = {node: next(event.t for event in seen.events
                       if event.kind == "acting" and event.node == node.name)
            for node in (first, second)}
    run.expect("next_after_ms", round(1000 * (acts[second] - acts[first])), at_most(NEXT_MS))
    expect_nothing_else(run, client)


def cut_off(run: Run, node: Node) -> None:
    """From all other gateways, for a while."""
    run.step(f"{node.name}, which acts, is cut off")
    for link in CLUSTER_LINKS:
        node.link_down(link)
    run.observe(CUT_OFF_S)
    run.step(f"{node.name} has its cluster links again")
    for link in CLUSTER_LINKS:
        node.link_up(link)
