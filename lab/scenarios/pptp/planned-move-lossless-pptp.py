# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves of PPTP lose no packet.

Purpose: as planned-move-lossless. A resumed call is carried by a process, in whose sockets packets
wait: they leave before the gate shuts.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials, and sends 50 numbered datagrams a second, as in planned-move-lossless. The
first move is away from pptpd, all others away from a data path. No fault.

Expected: as planned-move-lossless, but some wait for up to 0.4 s: the process shares one processor
with Pacemaker's agents in the lab.
"""
from vpnlab.steps.lossless import Load, move_without_loss
from vpnlab.steps.pptp_live import begin_pptp
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

# A process carries each packet of a resumed call: the lab does not carry 1 000 a second of these.
LOAD = Load(rate=50, added_p99_ms=400.0, gap_ms=400.0)
SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    move_without_loss(run, begin_pptp(run), LOAD)
