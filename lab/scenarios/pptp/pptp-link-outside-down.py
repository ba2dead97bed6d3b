# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node's outside link loses its carrier amid a PPTP call; its cluster links live.

Purpose: a TCP stream through PPTP and a dead network interface, where the old node lives and could
continue with keys and numbers that its successor has.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic; the promoted node's device outside has no carrier any more.

Expected: a silence of at most 0.7 s and nothing else; the TCP stream is intact, no number of GRE
and no index of MPPE is used twice; never two owners; one move.
"""
from vpnlab.steps.links import lose_link_of
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        node.sense_carrier("outside")
    lose_link_of(run, begin_pptp(run), "outside")
