# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill switchover` on a standby: the gateway moves, and the drill shows what it has cost.

Purpose: what an operator runs first, and what a timer may run each month.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials, makes traffic and watches the VIP. Drills that may not begin are asked for: on
the wrong node, and in maintenance mode. Then the switchover, watched by its node as well. No fault.

Expected: each refusal has its reason; the drill ends with 0 when the cluster is healthy again; the
session continued; a silence of at most 100 ms at client1, or twice the longest gap before; the page
has the watch of client1; no constraint, no failure.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.topology import L2TP
from vpnlab.steps.drilled import begin_drill, expect_refused
from vpnlab.steps.live import begin
from vpnlab.steps.promise import FAULT_FREE_MS, expect_planned_move
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
AFTERWARDS_S = 1


def steps(run: Run) -> None:
    live = begin(run)
    asked = live.plain_standby
    target = next(node for node in live.standbys if node is not asked)
    expect_refused(run, live.active, "node-power", "run it on another node")
    expect_refused(run, asked, "daemon", f"run it on {live.active.name}")
    live.stack.cluster.set_maintenance(True)
    expect_refused(run, asked, "switchover", "the cluster is in maintenance mode")
    live.stack.cluster.set_maintenance(False)
    live.stack.wait_in_sync()
    live.wait_answered()

    run.lab.share_cores([live.active, asked], [target])
    calm_from = run.lab.now()
    run.observe(2)
    drill = begin_drill(run, live, "switchover", asked, "--to", target.name,
                        "--watch", L2TP.vip_outside)
    result = drill.wait()
    struck, moved = (result[name] / 1000 for name in ("struck_unix_ms", "moved_unix_ms"))
    run.expect("to", result["to"], equals(target.name))
    run.expect("output", "silent for" in result["output"], equals(True))
    drill.report(asked, FAULT_FREE_MS)
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    constraints = asked.run("cibadmin", "--query", "--xpath", "/cib/configuration/constraints")
    run.expect("constraints_of_a_move", "cli-" in constraints.stdout, equals(False))

    seen = live.end()
    # The looks of a drill keep a node of the lab busy; they are neither calm nor the move.
    expect_planned_move(run, seen.client("client1"), (calm_from, drill.begun),
                        (struck, moved + AFTERWARDS_S))
