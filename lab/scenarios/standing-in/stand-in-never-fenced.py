# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby serves for a gateway that lost power, and no fencing ever ends.

Purpose: a standby that stands in needs nobody's permission to continue; an administrator sees it,
and can end it.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the survivors' password for the power switch becomes a wrong
one, and the power of the promoted node is cut. 30 s later client2 dials, and makes traffic. Both
hang up, and the administrator releases the gateway.

Expected: within 0.6 s another gateway answers in the same session, and nothing else happens to
client1; the new session is protected as well; `vpnha status` finds that the node has been standing
in for long; after the release it is a standby, and nobody stands in.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.vpnha_stack import DEGRADED
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_nothing_else, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, power_switch_refuses, wait_stands_in

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
STANDING_IN_S = 30
PROTECTED_LIMIT_S = 10
RELEASED_S = 3


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    with power_switch_refuses(standbys):
        run.step(f"power cut of {dead.name}, which is promoted; its power switch refuses all")
        dead.power_off()
        successor = wait_stands_in(live, standbys)
        run.observe(STANDING_IN_S)
        status = stack.status(successor)
        run.expect("role", status["role"], equals("standing-in"))
        run.expect("standing_in_for", status["standing_in_for"], equals(dead.spec.id))
        run.expect("standing_in_ms", status["standing_in_ms"], at_least(STANDING_IN_S * 1000))
        found = successor.run("vpnha", "status", check=False)
        run.expect("status_exit_code", found.code, equals(DEGRADED))
        run.expect("status_finds_it", "this node is standing in" in found.stdout, is_true())

        second = run.l2tp_client("client2")
        second.dial()
        live.clients.append(second)
        run.wait_for("both sessions are protected", lambda: sorted(
            each["state"] for each in stack.sessions(successor)) == ["protected", "resumed"],
            PROTECTED_LIMIT_S)
        second.start_traffic()
        run.observe(2)
        live.hang_up()
        run.expect_nothing_left(standbys, stack.leftovers, LEFTOVERS_LIMIT_S)
        run.step(f"{successor.name} is ordered to release the gateway")
        successor.run("vpnha", "release", stack.gateway.name)
        run.observe(RELEASED_S)
        run.expect("roles_after_the_release",
                   sorted(stack.status(node)["role"] for node in standbys),
                   equals(["unpromoted", "unpromoted"]))
        expect_stood_in(live, successor)
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
    expect_nothing_else(run, seen.client("client2"))
