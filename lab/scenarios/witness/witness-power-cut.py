# SPDX-License-Identifier: GPL-2.0-or-later
"""Of two nodes with a witness either one dies, and the client waits no longer than with three.

Purpose: of two voters both are needed, so a pair alone waits for power fencing. A witness is a
third vote that is no node of the cluster: it needs no Corosync and no Pacemaker.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the power of the promoted node, which is not the cluster's
coordinator, is cut; it comes back. Then the power of the other one is cut, which is promoted now,
and is the coordinator; it comes back. Then the power of the standby is cut.

Expected: a silence of at most 0.45 s each time the promoted node dies, none when the standby does,
and nothing else; never two owners.
"""
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.pairs.witness import NODES, WITNESS_MS, cut_either

SCENARIO = Scenario(nodes=NODES, faults=3, vpnha=True)


def steps(run: Run) -> None:
    cut_either(run, WITNESS_MS)
