# SPDX-License-Identifier: GPL-2.0-or-later
"""The witness of two nodes loses its disk, and counts again once both nodes have answered it.

Purpose: the machine of a witness breaks, and a new one gets its key. Its vote must not count before
it knows what the two have decided; then it is worth as much as before.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; vpnha-witness on wit1, on both
networks; two_node in corosync.conf; stonith/two-nodes-witness.crm.

Steps: client1 dials and makes traffic; the witness ends, its directory is emptied, it is enrolled
again by the key line of a gateway, and started. Then the power of the promoted node is cut.

Expected: no silence by the witness; at most 0.45 s by the power cut, and nothing else; never two
owners.
"""
from vpnlab.product.witness import Witness
from vpnlab.steps.live import Live
from vpnlab.steps.pairs.witness import NODES, outlive
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=NODES, faults=1, vpnha=True)
OBSERVE_S = 4


def steps(run: Run) -> None:
    def replace(live: Live, witness: Witness) -> None:
        witness.end()
        witness.forget()
        witness.enrol(live.active)
        witness.start()
        run.observe(OBSERVE_S)
    outlive(run, "a new witness comes in the place of the one that was there", "witness_replaced",
            replace)
