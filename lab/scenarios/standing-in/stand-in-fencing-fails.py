# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby serves for a gateway that lost power while the power switch refuses everything.

Purpose: what Pacemaker waits for is nothing to the client where standbys stand in.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the survivors' password for the power switch becomes a wrong
one, and the power of the promoted node is cut. After 12 s the password is right again.

Expected: within 0.6 s another gateway answers in the same session, and nothing else happens to the
client; its role is `standing-in` until Pacemaker has fenced the dead node and promotes a node; one
owner at a time.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, power_switch_refuses, wait_stands_in

SCENARIO = Scenario(faults=1, vpnha=True)
REFUSED_S = 12


def steps(run: Run) -> None:
    live = begin(run)
    dead, standbys = live.active, live.standbys
    with power_switch_refuses(standbys):
        run.step(f"power cut of {dead.name}, which is promoted; its power switch refuses all")
        dead.power_off()
        successor = wait_stands_in(live, standbys)
        run.observe(REFUSED_S)
        run.expect("roles_while_fencing_fails",
                   sorted(live.stack.status(node)["role"] for node in standbys),
                   equals(["standing-in", "unpromoted"]))
    run.step("the power switch obeys again")
    live.stack.wait_promoted(node.name for node in standbys)
    run.expect("nobody_stands_in", all(
        not live.stack.status(node)["standing_in"] for node in standbys), is_true())
    expect_stood_in(live, successor)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
