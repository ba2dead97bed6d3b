# SPDX-License-Identifier: GPL-2.0-or-later
"""What users' guides set beside PPP's negotiation holds after a power cut, or is shown.

Purpose: pppd's options and scripts change a session's device and the node, and no negotiation has a
word of it. The successor does the same, or the session is unprotected, and status names the reason.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. Gateway l2tp: the
clients' addresses lie in a net of the inside device, the server has no route to them, and pppd has
`mtu` below both MRUs, `proxyarp`, and LCP echoes that are adaptive. Gateway l2tp2: its pppds have
no `vpnha_gateway`.

Steps: client1 and client2 dial. The server pings client1 with 1 500 octets that must not be
fragmented. The power of l2tp's promoted node is cut, and the server pings again. client1's pppd is
stopped for 15 s: its kernel carries data, and no LCP echo is answered. client1 hangs up.

Expected: the session of client2 is unprotected, and `status --check` names its reason. The
successor has the same MTU, answers ARP for client1 and has notified the server. The stopped pppd
ends nothing. No proxy entry is left on any node. client1 sees the silence of the power cut alone.
"""
import json

from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.vpnha_stack import VpnhaStack, options_file
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.options import (LIMIT_S, OPTIONS, answer_arp, expect_carried_on,
                                           share_net)

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)


class Stack(VpnhaStack):
    """No gateway keeps sessions of the second one's xl2tpd."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        answer_arp(node, options_file(L2TP))
        path = options_file(L2TP_2)
        node.put(path, (node.read(path) or "").replace(f"vpnha_gateway {L2TP_2.name}\n", ""))


def expect_stray_is_shown(run: Run, stack: VpnhaStack) -> None:
    """client2 dials, and the node that serves it shows what becomes of it."""
    dialler = L2tpClient(run.lab.node("client2"), gateway=L2TP_2)
    dialler.start()
    run.wait_for("client2's xl2tpd is ready", dialler.ready, LIMIT_S)
    dialler.dial()
    run.wait_for("client2 has a session", dialler.up, LIMIT_S)
    node = stack.wait_in_sync()
    shown = json.loads(node.run("vpnha", "sessions", "--json").stdout)["sessions"]
    listed = [each for each in shown if each["gateway"] not in (L2TP.name, L2TP_2.name)]
    run.expect("stray_sessions", [each["state"] for each in listed], equals(["unprotected"]))
    run.expect("no_gateway_is_the_reason",
               all("vpnha_gateway" in each["reason"] for each in listed), is_true())
    check = node.run("vpnha", "status", "--check", check=False)
    run.expect("status_warns", check.code, equals(1))
    run.expect("status_names_the_reason", "vpnha_gateway" in check.stdout, is_true())


def steps(run: Run) -> None:
    stack = Stack(run.lab, Cluster(run.lab), (L2TP, L2TP_2), ppp=OPTIONS)
    for node in (*run.lab.gateways, run.lab.node("server")):
        share_net(node)
    live = begin(run, stack=stack)
    expect_stray_is_shown(run, stack.of(L2TP_2))
    seen = expect_carried_on(run, live)
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
