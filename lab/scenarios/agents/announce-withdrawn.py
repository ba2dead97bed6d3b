# SPDX-License-Identifier: GPL-2.0-or-later
"""BGP leads to the VIP on the node that serves, and to no other: vpnhad dies, hangs, power is cut.

Purpose: ocf:vpnha:announce and cib-templates/announce.crm. A router that continues sending to a
node without the lease loses all packets of the gateway. So the route hangs on the gate, whose
deadline is the lease's, and not on vpnhad or Pacemaker.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server. FRR on nat1 and on
all gateways, with BFD of five packets, 300 ms apart. nat1 has no way to the VIP but what BGP has
ordered it. All gateways run vpnhad-frail.

Steps: home1 dials and makes traffic. vpnhad of the promoted node is killed; that of the next one
hangs; the power of the third one is cut. Then home1 hangs up, and the program of
ocf:vpnha:announce that follows the gate is stopped (SIGSTOP) where the gateway is served.

Expected: each time nat1 learns the VIP from the node that serves, the node that was struck has
nothing left to announce, and home1 sees a silence of at most 2.5 s and nothing else. Behind the
stopped program the kernel takes the address away, and nat1 has no route to the VIP within 4 s.
"""
from collections.abc import Callable

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP, NAT
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.sites import bgp
from vpnlab.product.sites.home import start_nat
from vpnlab.product.vpnha_stack import DAEMON, VpnhaStack
from vpnlab.steps.frail import HANG, make_frail
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, Live, begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.promoted.fault import DAEMON_BACK_S, PROMOTED_S
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", NAT, "home1"), faults=4, vpnha=True)
VIP = L2TP.vip_outside
PREFIX = f"{VIP}/32"
LEARNED_S = 10
# The kernel counts whole seconds: 2 to 3 s. The rest is BGP's, and the lab's question.
WITHDRAWN_S = 4
# announce-prefixes, as far as the kernel knows its name.
FOLLOWER = "announce-prefix"


def steps(run: Run) -> None:
    router = run.lab.node(NAT)
    make_frail(run.lab.gateways)
    start_nat(run.lab)
    bgp.start_router(run.lab, router, VIP)
    for node in run.lab.gateways:
        bgp.start_gateway(run.lab, node, router)
    live = begin(run, clients=(), observe_s=0,
                 stack=VpnhaStack(run.lab, Cluster(run.lab), announce=PREFIX))
    wait_learned(run, router, live.active)
    run.step("home1 dials")
    live.dial("home1", dialler=L2tpClient)
    run.observe(2)

    strike(run, live, router, "vpnhad is killed", lambda node: node.kill_process(DAEMON))
    strike(run, live, router, "a deadlock in vpnhad",
           lambda node: node.signal_process(DAEMON, HANG))
    last = live.stack.wait_in_sync(DAEMON_BACK_S)
    live.stack.wait_protected(1)
    successor = live.cut_power(last)
    wait_learned(run, router, successor)
    run.observe(2)
    live.hang_up()

    run.step(f"{FOLLOWER} of {successor.name}, which serves, stands still")
    successor.stop_process(FOLLOWER)
    stopped_at = run.lab.now()
    run.wait_for("the router has no route to the VIP",
                 lambda: not bgp.learned_from(router, VIP), LEARNED_S * run.lab.patience)
    run.expect("withdrawn_by_the_kernel_s", round(run.lab.now() - stopped_at, 1),
               at_most(WITHDRAWN_S))
    successor.continue_process(FOLLOWER)
    wait_learned(run, router, successor)
    failed = [each for each in live.stack.cluster.status().failures if "announce" in each]
    run.expect("failures_of_announce", failed, is_empty())
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    seen = live.measure()
    expect_only_silence(run, seen.client("home1"), REPORTED_MS)


def strike(run: Run, live: Live, router: Node, what: str, act: Callable[[Node], None]) -> None:
    """Something happens to vpnhad of the node that serves; returns when another one serves, and the
    router knows."""
    struck = live.stack.wait_in_sync(DAEMON_BACK_S)
    live.stack.wait_protected(1)
    live.stack.cluster.spare_successors(struck)
    run.step(f"{what} on {struck.name}, which is promoted")
    act(struck)
    successor = live.stack.wait_promoted(
        (node.name for node in live.stack.cluster.nodes if node is not struck), PROMOTED_S)
    live.wait_answered()
    wait_learned(run, router, successor)
    run.expect(f"announced_where_{what.replace(' ', '_')}", bgp.announced_on(struck), equals([]))


def wait_learned(run: Run, router: Node, node: Node) -> None:
    run.wait_for(f"the router learns the VIP from {node.name}",
                 lambda: bgp.learned_from(router, VIP) == node.address("outside"),
                 LEARNED_S * run.lab.patience)
