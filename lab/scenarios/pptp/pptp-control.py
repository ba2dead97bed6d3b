# SPDX-License-Identifier: GPL-2.0-or-later
"""Today's stack with PPTP: the cluster moves the addresses and pptpd, and the session dies all the
same.

Purpose: the control of the power cuts of PPTP, as l2tp-control is for L2TP. Nothing of vpnha runs.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: IPaddr2 and stock pptpd run in a group on one gateway; client1 dials with MPPE-128, pings the
server and streams TCP to it; the power of that gateway is cut; the traffic is watched until the
client's pppd has given the session up.

Expected: the cluster does its part (another gateway speaks for the VIP), and the client gains
nothing by it: no ping of the old session is answered again, and it ends when its LCP echo has
failed three times, after 20 to 60 s.
"""
from vpnlab.evidence.expectation import at_least, between, equals, is_true
from vpnlab.product.cluster import Cluster
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.pptp_gateway import PID_FILE, PPTPD_COMMAND, StockPptpd
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.todays_stack import cut_power, deploy

SCENARIO = Scenario(faults=1)
# pppd asks every 10 s, and gives up when three questions in a row have had no answer.
GIVEN_UP_S = (20, 60)


def steps(run: Run) -> None:
    cluster = Cluster(run.lab)
    run.step("corosync and pacemaker start on three gateways")
    cluster.up()
    for node in cluster.nodes:
        StockPptpd(node).configure()
    run.step("IPaddr2 and stock pptpd")
    active = deploy(cluster, "pptpd", PID_FILE, PPTPD_COMMAND)

    run.step(f"client1 dials; {active.name} serves it")
    run.start_echo_server()
    client = run.client(PptpDialler(run.lab.node("client1")))
    client.dial()
    cluster.tune()
    client.start_traffic()
    run.observe(3)

    cut_at = run.lab.now()
    successor = cut_power(run, cluster, active, "pptpd")
    run.step(f"{successor} has the group")
    answered = client.answered_pings()
    run.wait_for("client1 has given its session up", client.gone, GIVEN_UP_S[1])
    given_up_s = run.lab.now() - cut_at
    back = client.answered_pings() - answered
    client.stop_traffic()

    seen = run.measure()
    figures = seen.client("client1")
    run.expect("served_by_another", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("pings_answered_again", back, equals(0))
    run.expect("pings_lost_after_the_cut", figures.pings_lost, at_least(GIVEN_UP_S[0]))
    run.expect("tcp_stream_came_through", figures.tcp_intact is False, is_true())
    run.expect("given_up_after_s", round(given_up_s, 1), between(*GIVEN_UP_S))
