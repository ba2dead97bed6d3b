# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes is 50 ms away, and one packet in a hundred is lost on its way.

Purpose: a witness may stand in another building, or in a cloud. The question that a standby asks it
is on its way when the next one is asked, so only the round trips are added to the silence.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, 50 ms away;
two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: as witness-power-cut.

Expected: a silence of at most 0.6 s each time the promoted node dies, none when the standby does,
and nothing else; never two owners.
"""
from vpnlab.steps.promise import POWER_CUT_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.witness import NODES, cut_either

DELAY_MS, LOSS_PERCENT = 50, 1
# Of the delay: one on each of the witness's networks.
SCENARIO = Scenario(nodes=NODES, faults=5, vpnha=True)


def steps(run: Run) -> None:
    cut_either(run, POWER_CUT_MS, DELAY_MS, LOSS_PERCENT)
