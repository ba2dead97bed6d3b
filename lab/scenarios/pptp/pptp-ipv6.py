# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 in a call of PPTP, and the networks behind its client, outlive the power cut.

Purpose: IPv6CP gives both ends of a call their link-local addresses; what else the client has of
IPv6 are routes to it. All of that is at the next node, within MPPE-128, whose keys packets of IPv6
use up as those of IPv4 do.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all with IPv6; stock pptpd in
place of xl2tpd. The pppds of both ends negotiate IPv6CP. The gateways' ipv6-up routes a prefix of
IPv6 to the client, their ip-up a network of IPv4 outside of the pools.

Steps: client1 dials by pptp-linux with MPPE-128; besides its traffic it pings the server by IPv6
and streams TCP to it, and the server pings an address of the network behind it. The power of the
promoted gateway is cut; later the role moves to a third node.

Expected: after the power cut both pings continue within 2.5 s, after the move within 500 ms; the
TCP stream is intact. The client's peer has the same link-local address on each node, and answers
there. No LCP, CCP, IPCP, IPv6CP or CHAP; no RST, no FIN and no ICMP error to the client. Not one
packet of the user is in the clear; no number of GRE and no index of MPPE is used twice.
"""
from vpnlab.product.pptp_client import INTERFACE, PptpDialler
from vpnlab.steps.pptp_live import expect_unhurt
from vpnlab.steps.promise import PPTP_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.ipv6cp import keep_over_power_cut_and_move

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live, seen, span = keep_over_power_cut_and_move(run, PptpDialler, INTERFACE, "vpnp-", PPTP_MS,
                                                    pptp=True)
    expect_unhurt(run, live, seen, PPTP_MS, span)
