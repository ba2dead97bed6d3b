# SPDX-License-Identifier: GPL-2.0-or-later
"""What users' guides set beside PPP's negotiation of a PPTP call holds after a power cut.

Purpose: the same as options-of-users, of a call with MPPE: what pppd has done to its device and for
its client is done by the node that resumes it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.
The clients' addresses lie in a net of the inside device, the server has no route to them, and pppd
has `mtu` below both MRUs, `proxyarp`, and LCP echoes that are adaptive.

Steps: client1 dials. The server pings it with 1 500 octets that must not be fragmented. The power
of the promoted node is cut, and the server pings again. client1's pppd is stopped for 15 s: its
kernel carries data, and no LCP echo is answered. client1 hangs up.

Expected: the successor has the same MTU, answers ARP for client1 and has notified the server. The
stopped pppd ends nothing. No proxy entry is left on any node. client1 sees the silence of the power
cut alone.
"""
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.vpnha_stack import VpnhaStack, pptpd_options_file
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.options import OPTIONS, answer_arp, expect_carried_on, share_net

SCENARIO = Scenario(faults=1, vpnha=True)


class Stack(VpnhaStack):
    """Its pppds have `proxyarp`."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        answer_arp(node, pptpd_options_file(L2TP))


def steps(run: Run) -> None:
    stack = Stack(run.lab, Cluster(run.lab), pptp=True, ppp=OPTIONS)
    for node in (*run.lab.gateways, run.lab.node("server")):
        share_net(node)
    live = begin(run, clients=(), observe_s=0, stack=stack)
    live.dial("client1", dialler=PptpDialler)
    seen = expect_carried_on(run, live)
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
