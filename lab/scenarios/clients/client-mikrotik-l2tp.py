# SPDX-License-Identifier: GPL-2.0-or-later
"""L2TP/IPsec of MikroTik's RouterOS, played, outlives two power cuts and a move.

Purpose: RouterOS offers MPLSCP, ends a compression that nobody has begun, and has dead peer
detection each 8 s. charon, xl2tpd and pppd play it, and a program sends those frames: this is not
the real client.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: home1 dials with the values of mikrotik-l2tp in clients.toml, at gateways with the proposals
of docs/reference/swanctl.conf.example, and makes traffic. The power of the promoted gateway is cut,
and home1 sends a Configure-Request of MPLSCP and a Terminate-Request of CCP to its successor. The
dead gateway returns, and the role moves to it. home1 asks for a new CHILD SA; the answer is lost,
and the power of the gateway is cut.

Expected: silences of at most 0.6 s, 0.1 s and 1 s, and nothing else: the session was set up once,
its IKE SA, too, and its stream is intact. No number was used twice. The successor answers both
frames.
"""
from vpnlab.steps.clients.outlive import outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=2, vpnha=True)


def steps(run: Run) -> None:
    outlive(run, "mikrotik-l2tp")
