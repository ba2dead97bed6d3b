# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows' IKEv2, played, outlives two power cuts and a move.

Purpose: Windows has no group for ESP unless it is configured, takes modp2048 alone of the gateway's
groups, and has no dead peer detection. charon plays it from behind a NAT: this is not the real
client.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: home1 dials with the values of windows-ikev2 in clients.toml, at gateways with the proposals
of docs/reference/swanctl.conf.example, and makes traffic. The power of the promoted gateway is cut.
The dead gateway returns, and the role moves to it. home1 asks for a new CHILD SA; the answer is
lost, and the power of the gateway is cut.

Expected: silences of at most 0.6 s, 0.1 s and 12.2 s, and nothing else: the session was set up
once, its IKE SA, too, and its stream is intact. No number was used twice.
"""
from vpnlab.steps.clients.outlive import outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=2, vpnha=True)


def steps(run: Run) -> None:
    outlive(run, "windows-ikev2")
