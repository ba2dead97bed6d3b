# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel of a Cisco LAC, played, outlives two power cuts and a move.

Purpose: A LAC asks by HELLO whether its gateway lives. The gateway may die before the answer has
arrived. xl2tpd plays it, with one session: this is not the real client.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials by L2TP with the values of cisco-lac in clients.toml, and makes traffic. The
power of the promoted gateway is cut. The dead gateway returns, and the role moves to it. client1
sends a HELLO; the acknowledgement is lost, and the power of the gateway is cut.

Expected: silences of at most 0.6 s, 0.1 s and 1 s, and nothing else: the tunnel and the session
were set up once, and the stream is intact. The HELLO is acknowledged by the next gateway. No number
was used twice.
"""
from vpnlab.steps.clients.outlive import outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    outlive(run, "cisco-lac")
