# SPDX-License-Identifier: GPL-2.0-or-later
"""From three empty machines to gateways whose sessions survive, by the site play alone.

Purpose: what the collection vpnha.gateway promises: three new Debian nodes with systemd,
an inventory and a vault become a fenced cluster of gateways for L2TP/IPsec and PPTP; nothing else
is done to them.

Topology: gw1, gw2, gw3, each a newly installed Debian; client1, client2 and server. The play comes
from the lab's place on the management network, by ssh.

Steps: the play runs, and runs again; client1 dials in by L2TP/IPsec, client2 by PPTP with MPPE-128;
the power of the promoted gateway is cut under their traffic.

Expected: the second play, and one in check mode, change nothing; no secret is in Ansible's
output; systemd runs vpnhad. Both sessions continue within 1 s as after any power cut: no IKE, no
setup of L2TP or PPTP, no PPP negotiation, no TCP reset.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.ipsec_client import L2tpIpsecClient
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.steps.live import off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.rollout import FRESH, begin, play_again, prepare
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), fresh=FRESH, faults=1)
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    ansible = prepare(run)
    live = begin(run, ansible, off_dc)
    stack = live.stack
    play_again(run, ansible, in_check_mode=True)
    run.expect("units", [node.run("systemctl", "is-active", "vpnhad.service",
                                  check=False).stdout.strip() for node in run.lab.gateways],
               equals(["active"] * 3))

    stack.cluster.tune()
    stack.cluster.spare_successors(live.active)
    live.dial("client1", dialler=L2tpIpsecClient)
    live.dial("client2", dialler=PptpDialler)
    run.observe(AFTERWARDS_S)
    live.cut_power(live.active)
    stack.wait_protected(2)
    run.observe(AFTERWARDS_S)
    seen = live.end()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
