# SPDX-License-Identifier: GPL-2.0-or-later
"""Pacemaker is restarted on the promoted node in maintenance mode; nobody notices.

Purpose: so its packages are upgraded. Pacemaker leaves everything as it is, forgets it with its
end, promotion scores too, and finds it again by probing.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; maintenance mode is switched on; Pacemaker of the promoted
node is ended and started again; when the node is back, maintenance mode is switched off.

Expected: no gap longer than 50 ms, or twice the longest of a fault-free time; the same node serves,
and none is promoted anew.
"""
from vpnlab.steps.live import Live, expect_unnoticed_act
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
OBSERVED_S = 12


def steps(run: Run) -> None:
    def restart(live: Live) -> None:
        cluster, node = live.stack.cluster, live.active
        cluster.set_maintenance(True)
        run.step(f"Pacemaker of {node.name} is restarted in maintenance mode")
        cluster.stop_pacemaker(node)
        cluster.start_pacemaker(node)
        cluster.wait_online((each.name for each in run.lab.gateways), node.name)
        run.step("the maintenance is over")
        cluster.set_maintenance(False)
    expect_unnoticed_act(run, restart, OBSERVED_S)
