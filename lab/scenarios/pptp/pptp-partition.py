# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node of a PPTP session loses everything: the others, its clients, its servers.

Purpose: its pptpd and pppd live, have the same TCP and the same keys as its successor's data path,
and must not speak: two who send by the same keys show the user's packets to whoever listens.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic; all links of the promoted node are cut.

Expected: it sends nothing after 400 ms; another node continues with the call within 2.5 s; never
two owners; no number of GRE and no index of MPPE is used twice.
"""
from vpnlab.host.node import Node
from vpnlab.steps.live import off_dc
from vpnlab.steps.partition import CLUSTER_LINKS, lose_the_others
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)


def steps(run: Run) -> None:
    lose_the_others(run, Node.link_down, (*CLUSTER_LINKS, "outside", "inside"), off_dc,
                    start=begin_pptp)
