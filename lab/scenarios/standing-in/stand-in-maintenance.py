# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway loses its power in maintenance mode; a standby serves, and Pacemaker follows later.

Purpose: in maintenance mode Pacemaker leaves everything as it is, a dead gateway too. The lease
needs no Pacemaker.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; maintenance mode is switched on, and the power of the
promoted node is cut; 12 s later maintenance mode is switched off.

Expected: within 0.6 s another gateway answers in the same session, and nothing else happens to the
client; its role is `standing-in` as long as the mode lasts, and a node is promoted then.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, wait_stands_in

SCENARIO = Scenario(faults=1, vpnha=True)
MAINTENANCE_S = 12


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    stack.cluster.set_maintenance(True)
    run.step(f"power cut of {dead.name}, which is promoted, in maintenance mode")
    dead.power_off()
    successor = wait_stands_in(live, standbys)
    run.observe(MAINTENANCE_S)
    run.expect("roles_in_maintenance",
               sorted(stack.status(node)["role"] for node in standbys),
               equals(["standing-in", "unpromoted"]))
    run.step("the maintenance is over")
    stack.cluster.set_maintenance(False)
    stack.wait_promoted(node.name for node in standbys)
    stack.wait_in_sync()
    run.observe(2)
    expect_stood_in(live, successor)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
