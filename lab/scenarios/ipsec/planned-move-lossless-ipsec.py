# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves of IKEv2 and of L2TP/IPsec lose no packet.

Purpose: as planned-move-lossless. The numbers of ESP are read when nothing more leaves the old
node.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial, and send 50 numbered datagrams a second each, as in planned-move-lossless. No
fault.

Expected: as planned-move-lossless, of both clients, but a move adds up to 0.25 s, for which the new
node holds packets: ESP in six kernels takes both processors of the lab.
"""
from vpnlab.steps.ipsec.live import IPSEC_NODES, begin_ipsec
from vpnlab.steps.lossless import Load, move_without_loss
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

# At higher rates the nodes of the lab lose leases.
LOAD = Load(rate=50, added_p99_ms=250.0, gap_ms=300.0)
SCENARIO = Scenario(nodes=IPSEC_NODES, vpnha=True)


def steps(run: Run) -> None:
    move_without_loss(run, begin_ipsec(run), LOAD)
