# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes crashes and is started again; then a node dies.

Purpose: while both nodes live they are two voters of three, so the witness may die, be started anew
and be upgraded at any time. After a crash it has forgotten nothing that it granted, and its vote is
worth as much as before.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the witness is killed, and started again after some seconds;
then the power of the promoted node is cut.

Expected: no silence when the witness dies or returns; at most 0.45 s when the node dies, and
nothing else; never two owners.
"""
from vpnlab.product.witness import Witness
from vpnlab.steps.live import Live
from vpnlab.steps.pairs.witness import NODES, outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=NODES, faults=2, vpnha=True)
OBSERVE_S = 4


def steps(run: Run) -> None:
    def crash(_live: Live, witness: Witness) -> None:
        witness.kill()
        run.observe(OBSERVE_S)
        witness.start()
        run.observe(OBSERVE_S)
    outlive(run, "the witness dies, and comes back", "witness_gone", crash)
