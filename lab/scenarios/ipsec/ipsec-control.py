# SPDX-License-Identifier: GPL-2.0-or-later
"""Today's stack with IPsec: the cluster moves the addresses, and the sessions die all the same.

Purpose: the control of the power cuts of IPsec, as l2tp-control is for L2TP. Nothing of vpnha runs:
stock charon is ready on every node, with the same connections, and the SAs die with their node.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: IPaddr2 and stock xl2tpd run in a group on one gateway; both clients dial, ping the server
and stream TCP to it; the power of that gateway is cut; the traffic is watched for 30 s more.

Expected: the cluster does its part (another gateway speaks for the VIP), and the clients gain
nothing by it: no ping of the old sessions is answered again within 30 s.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import Ikev2Client, L2tpIpsecClient
from vpnlab.product.ipsec_gateway import StockCharon
from vpnlab.product.l2tp_gateway import PID_FILE, XL2TPD_COMMAND
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.ipsec.live import IPSEC_NODES
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.todays_stack import answered_again, cut_power, deploy, prepare_ipsec

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=1)
WATCHED_S = 30


def steps(run: Run) -> None:
    start_nat(run.lab)
    cluster = Cluster(run.lab)
    run.step("corosync and pacemaker start on three gateways")
    cluster.up()
    for node in cluster.nodes:
        charon = StockCharon(node)
        prepare_ipsec(run, node, charon)
        charon.take()
    run.step("IPaddr2 and stock xl2tpd")
    active = deploy(cluster, "xl2tpd", PID_FILE, XL2TPD_COMMAND)

    run.step(f"both dial; {active.name} serves them")
    run.start_echo_server()
    clients = [run.client(L2tpIpsecClient(run.lab.node("home1"))),
               run.client(Ikev2Client(run.lab.node("client1")))]
    for client in clients:
        client.dial()
    cluster.tune()
    for client in clients:
        client.start_traffic()
    run.observe(3)

    successor = cut_power(run, cluster, active, "xl2tpd")
    run.step(f"{successor} has the group; {WATCHED_S} s more")
    back = answered_again(run, clients, WATCHED_S)
    for client in clients:
        client.stop_traffic()

    seen = run.measure()
    run.expect("served_by_another", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("pings_answered_again", back, equals([0, 0]))
    for each in seen.clients:
        run.expect(f"{each.name}_pings_lost_after_the_cut", each.pings_lost, at_least(WATCHED_S))
        run.expect(f"{each.name}_tcp_stream_came_through", each.tcp_intact is False, is_true())
