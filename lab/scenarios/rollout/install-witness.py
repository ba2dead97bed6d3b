# SPDX-License-Identifier: GPL-2.0-or-later
"""From three empty machines to two gateways and a witness, by the site play.

Purpose: what the roles promise of a pair that is as fast as three: the witness's package, its key,
made on a node and carried by Ansible, its unit; the nodes count it without another word.

Topology: gw1 and gw2, each a newly installed Debian with a power board of its own; wit1, too, which
is no node of the cluster; client1 and server. The play comes from the lab's place on the management
network, by ssh.

Steps: the play runs, and runs again; client1 dials in by L2TP/IPsec; the power of the promoted
gateway is cut under its traffic.

Expected: the second play changes nothing; no secret is in Ansible's output. The witness is one
of the voters. The session continues within 1 s: no IKE, no setup of L2TP, no PPP negotiation, no
TCP reset.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import NODES, WITNESS
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.witness import NETWORKS, PORT
from vpnlab.rollout.ansible import Site
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import PAIR, WITNESS_FENCING, begin, play_again, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*PAIR, WITNESS, "client1", "server"), fresh=(*PAIR, WITNESS), faults=1)
SITE = Site(witness=WITNESS, values={
    **WITNESS_FENCING, "vpnha_witness_name": WITNESS,
    "vpnha_witness_addresses": [f"{NODES[WITNESS].address(network)}:{PORT}"
                                for network in NETWORKS]})
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run, SITE)
    live = begin(run, ansible, off_dc)
    play_again(run, ansible)
    run.expect("unit", run.lab.node(WITNESS).run(
        "systemctl", "is-active", "vpnha-witness@vpnha.service", check=False).stdout.strip(),
        equals("active"))
    live.stack.wait_witness_votes()
    live.stack.cluster.tune()
    live.stack.cluster.spare_successors(live.active)
    live.dial("client1", dialler=L2tpIpsecClient)
    run.observe(AFTERWARDS_S)
    live.cut_power(live.active)
    run.observe(AFTERWARDS_S)
    expect_only_silence(run, live.end().client("client1"), TAKEOVER_MS)
