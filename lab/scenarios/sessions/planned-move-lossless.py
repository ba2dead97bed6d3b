# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves of L2TP lose no packet.

Purpose: an operator moves a gateway at noon. The old node sends on what still comes for it, the new
one holds that until its gate opens.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials, and sends 1 000 numbered datagrams a second to the server, which answers each
of them. The role is banned from its gateway (what an administrator does before maintenance), again
and again. No fault.

Expected: no datagram is lost in either direction, and none overtakes another one; a move adds at
most 25 ms to a round trip (p99); no packet was sent on twice; the session is the same.
"""
from vpnlab.steps.live import begin
from vpnlab.steps.lossless import move_without_loss
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    move_without_loss(run, begin(run))
