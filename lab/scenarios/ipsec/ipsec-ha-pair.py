# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan's own HA pair, stock: the standby has all SAs, and none of ESP's sequence numbers.

Purpose: what one would take instead of vpnha for IPsec. charon's `ha` plugin runs as strongSwan's
documentation has it for two nodes, on Debian's kernel. That documentation moves the addresses by a
ClusterIP that counts ESP on both nodes, which needs a patched kernel; here Pacemaker moves them, as
in ipsec-control.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2 -- inside -- server; client1 and client2 --
outside. home1 speaks L2TP/IPsec, the others IKEv2.

Steps: both charons share their SAs; IPaddr2 and stock xl2tpd run in a group on one gateway, whose
charon has the segment. All dial, ping the server and stream TCP to it, client2 for 20 s longer than
the others. The power of that gateway is cut; the traffic is watched for 30 s more.

Expected: the pair does its part. The standby had all SAs, its charon takes the segment and answers
IKE, and the cluster moves the addresses. But its kernel counts ESP from 1 again, and the clients
refuse these numbers until they are above the ones they know: client1, whose session was short, is
answered again after more than 5 s; client2 is not within the 30 s. home1 is lost, because nobody
has its L2TP session. No client dials again, because IKE answers all of them.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.history.violations import ESP_NUMBER
from vpnlab.host.node import Node
from vpnlab.product.cluster import Cluster
from vpnlab.product.ipsec_client import Ikev2Client, L2tpIpsecClient
from vpnlab.product.ipsec_gateway import StockCharon
from vpnlab.product.l2tp_gateway import PID_FILE, XL2TPD_COMMAND
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.todays_stack import answered_again, cut_power, deploy, prepare_ipsec

SCENARIO = Scenario(
    nodes=("gw1", "gw2", "client1", "client2", "server", "nat1", "home1"), faults=1,
    history_allows={ESP_NUMBER: "the standby's kernel counts ESP from 1 again"})
OLDER_S, BEFORE_S, WATCHED_S = 20, 3, 30
TAKEN = "no heartbeat received, taking all segments"


def refused(node: Node) -> int:
    """How many packets this node's replay windows have refused."""
    counters = dict(line.split() for line in (node.read("/proc/net/xfrm_stat") or "").splitlines())
    return int(counters["XfrmInStateSeqError"])


def steps(run: Run) -> None:
    start_nat(run.lab)
    cluster = Cluster(run.lab)
    run.step("corosync and pacemaker start on two gateways")
    cluster.up()
    one, other = cluster.nodes
    charons = {one.name: StockCharon(one, other), other.name: StockCharon(other, one)}
    for node in cluster.nodes:
        prepare_ipsec(run, node, charons[node.name])
    run.step("IPaddr2 and stock xl2tpd")
    active = deploy(cluster, "xl2tpd", PID_FILE, XL2TPD_COMMAND)
    charons[active.name].take()
    standby = charons[(other if active is one else one).name]

    run.step(f"all dial; {active.name} serves them")
    run.start_echo_server()
    home, young, older = clients = [
        run.client(L2tpIpsecClient(run.lab.node("home1"))),
        run.client(Ikev2Client(run.lab.node("client1"))),
        run.client(Ikev2Client(run.lab.node("client2")))]
    for client in clients:
        client.dial()
    run.wait_for("the standby has all SAs",
                 lambda: standby.shared_sas() >= len(clients), deadline_s=5)
    cluster.tune()
    older.start_traffic()
    run.observe(OLDER_S)
    home.start_traffic()
    young.start_traffic()
    run.observe(BEFORE_S)

    successor = cut_power(run, cluster, active, "xl2tpd")
    run.step(f"{successor} has the group; {WATCHED_S} s more")
    back = answered_again(run, clients, WATCHED_S)
    windows = [refused(client.node) for client in (young, older)]
    for client in clients:
        client.stop_traffic()

    seen = run.measure()
    run.expect("served_by_another", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("charon_took_the_segment", standby.log().count(TAKEN), at_least(1))
    run.expect("home1_pings_answered_again", back[0], equals(0))
    run.expect("home1_tcp_stream_came_through", seen.client("home1").tcp_intact is False, is_true())
    run.expect("client1_pings_answered_again", back[1], at_least(1))
    run.expect("client1_outage_ms", seen.client("client1").outage_ms, at_least(5000))
    run.expect("client2_pings_answered_again", back[2], equals(0))
    for client, count in zip((young, older), windows):
        run.expect(f"{client.name}_refused_as_replays", count, at_least(100))
    run.expect("esp_seq_reused", seen.invariants.esp_seq_reused, at_least(200))
    run.expect("ike_exchanges", [client.ike_exchanges for client in seen.clients],
               equals([0, 0, 0]))
