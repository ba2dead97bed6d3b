# SPDX-License-Identifier: GPL-2.0-or-later
"""A live PPTP session with MPPE-128 outlives the power cut of its gateway.

Purpose: PPTP has three things that must continue to the number: the control connection's TCP, GRE,
and the keys of MPPE, one for each packet. The client gets no sign that another node has them.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: vpnha serves on a gateway that is not the cluster's DC; client1 dials by pptp-linux with
MPPE-128, pings the server and streams TCP to it; the power of the promoted gateway is cut under
that traffic.

Expected: within 2.5 s another gateway answers in the same call: no new control connection, no LCP,
CCP, IPCP or CHAP, the same interface; the TCP stream is intact. After the cut the client is sent no
RST, no FIN and no ICMP error. Not one packet of the user is in the clear; no number of GRE and no
index of MPPE is used twice. No standby sends anything. After the client has hung up nothing is left
on any node.
"""
from vpnlab.evidence.expectation import at_least
from vpnlab.steps.live import off_dc
from vpnlab.steps.pptp_live import begin_pptp, cut_power_unhurt
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    seen = cut_power_unhurt(run, begin_pptp(run, off_dc))
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
