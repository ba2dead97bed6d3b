# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 in a session of L2TP, and the networks behind its client, outlive the power cut.

Purpose: a client with IPv6CP has both families at the next node: its link-local address and that of
the gateway, and what the gateway's scripts have routed to it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all with IPv6. The pppds of both
ends negotiate IPv6CP. The gateways' ipv6-up routes a prefix of IPv6 to the client, their ip-up a
network of IPv4.

Steps: client1 dials; besides its traffic it pings the server by IPv6 and streams TCP to it, and the
server pings an address of the network behind it. The power of the promoted gateway is cut; later
the role moves to a third node.

Expected: after the power cut both pings continue within 1 s, after the move within 500 ms; the TCP
stream is intact. The client's peer has the same link-local address on each node, and answers there.
The session is the same, by the promises of all power cuts.
"""
from vpnlab.product.l2tp_client import INTERFACE, L2tpClient
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.ipv6cp import keep_over_power_cut_and_move

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    _, seen, _ = keep_over_power_cut_and_move(run, L2tpClient, INTERFACE, "vpnha", TAKEOVER_MS)
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
