# SPDX-License-Identifier: GPL-2.0-or-later
"""IKEv2 of iOS and macOS, played, outlives two power cuts and a move.

Purpose: Apple's clients regard a gateway as dead that leaves six questions unanswered, one second
apart. charon plays it: this is not the real client.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials with the values of apple-ikev2 in clients.toml, at gateways with the proposals
of docs/reference/swanctl.conf.example, and makes traffic. The power of the promoted gateway is cut.
The dead gateway returns, and the role moves to it. client1 asks for a new CHILD SA; the answer is
lost, and the power of the gateway is cut.

Expected: silences of at most 0.6 s, 0.1 s and 3 s, and nothing else: the session was set up once,
its IKE SA, too, and its stream is intact. No number was used twice.
"""
from vpnlab.steps.clients.outlive import outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    outlive(run, "apple-ikev2")
