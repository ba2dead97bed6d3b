# SPDX-License-Identifier: GPL-2.0-or-later
"""pacemakerd of the promoted node dies and is started again within a second; nobody notices.

Purpose: Pacemaker's daemons outlive their parent, and a new parent adopts them. Nothing of a
gateway may hang on it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; pacemakerd of the promoted node is killed and started again.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; nobody is promoted.
"""
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OBSERVED_S = 10


def steps(run: Run) -> None:
    def restart(live: Live) -> None:
        run.step(f"pacemakerd of {live.active.name} dies, and is started again")
        live.active.kill_process("pacemakerd")
        live.stack.cluster.start_pacemaker(live.active)
    expect_unnoticed_act(run, restart, OBSERVED_S)
