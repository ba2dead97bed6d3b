# SPDX-License-Identifier: GPL-2.0-or-later
"""The operator ends sessions of L2TP: `vpnha session end`, and `vpnha drain --end`.

Purpose: a client whose session ends is notified at once, by whoever serves it, and dials again; it
does not wait until nobody answers.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; stock xl2tpd.

Steps: the clients dial and make traffic. client2's session is ended on the promoted node, and it
dials again. The power of that node is cut. client1's session is ended on the successor; then the
gateway is drained, with --end after a second.

Expected: a standby ends nothing, and names the promoted node. Each client has received PPP's
Terminate-Request or CDN and is gone within 10 s; the others see the silence of the power cut
and nothing else. In the end nothing is left on any node.
"""
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.sessions.ended import end_each
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)


def steps(run: Run) -> None:
    end_each(run, begin(run, ("client1", "client2", "client3")))
