# SPDX-License-Identifier: GPL-2.0-or-later
"""Today's stack: the cluster moves the addresses and xl2tpd, and the session dies all the same.

Purpose: the control of every failover scenario. Nothing of vpnha runs: stock corosync and
pacemaker with the same tuned profile and the same power fencing, IPaddr2 for both VIPs, stock
xl2tpd with them in a group.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: the group runs on one gateway, client1 dials, pings the server and streams TCP to it; the
power of that gateway is cut; the traffic is watched for 30 s more.

Expected: the cluster does its part (another gateway speaks for the VIP), and the client gains
nothing by it: no ping of the old session is answered again within 30 s.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_gateway import PID_FILE, XL2TPD_COMMAND, StockGateway
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.todays_stack import answered_again, cut_power, deploy

SCENARIO = Scenario(faults=1)
WATCHED_S = 30


def steps(run: Run) -> None:
    cluster = Cluster(run.lab)
    run.step("corosync and pacemaker start on three gateways")
    cluster.up()
    for node in cluster.nodes:
        StockGateway(node).configure()
        node.put("/run/xl2tpd/.keep", "")
    run.step("IPaddr2 and stock xl2tpd")
    active = deploy(cluster, "xl2tpd", PID_FILE, XL2TPD_COMMAND)

    run.step(f"client1 dials; {active.name} serves it")
    run.start_echo_server()
    client = run.l2tp_client("client1")
    client.dial()
    cluster.tune()
    client.start_traffic()
    run.observe(3)

    successor = cut_power(run, cluster, active, "xl2tpd")
    run.step(f"{successor} has the group; {WATCHED_S} s more")
    back = answered_again(run, [client], WATCHED_S)
    client.stop_traffic()

    seen = run.measure()
    figures = seen.client("client1")
    run.expect("served_by_another", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("pings_answered_again", back[0], equals(0))
    run.expect("pings_lost_after_the_cut", figures.pings_lost, at_least(WATCHED_S))
    run.expect("tcp_stream_came_through", figures.tcp_intact is False, is_true())
