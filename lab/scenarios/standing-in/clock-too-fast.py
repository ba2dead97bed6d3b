# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock of the promoted node runs 3 % too fast: it is named, and gives the role away.

Purpose: a lease and its promises are counted by two clocks whose rates differ by 1 % at most. A
clock that breaks the bound, as that of a machine that was moved to another host, must not serve.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic. The clock of the promoted node runs 3 % faster, until
another node has the role. Then the clock is right again, and the power of the promoted node is
cut.

Expected: both other nodes name the fast clock, and so does `vpnha status --check`. Pacemaker moves
the role without a failure: no gap longer than 0.5 s. The fast node asks for no lease. After the
power cut a silence of at most 0.6 s. The session is the same at the end.
"""
from vpnlab.evidence.expectation import at_most, equals, is_empty, is_true
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_nothing_else, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import ASKS

SCENARIO = Scenario(faults=2, vpnha=True)
PERCENT = 3.0
MOVE_MS = 500
# Three spans of 10 s, and one that had begun.
NAMED_LIMIT_S, RIGHT_LIMIT_S, MOVE_LIMIT_S = 60, 60, 30
CLOCK_RATE = "event=clock-rate "
RIGHT = "runs as this node's again"


def steps(run: Run) -> None:
    live = begin(run)
    fast, others = live.active, live.standbys
    run.step(f"the clock of {fast.name}, which is promoted, runs {PERCENT:g} % faster")
    fast.run_clock_at(PERCENT)
    since = run.lab.now()
    run.wait_for("the others name it", lambda: all(
        f"{CLOCK_RATE}gateway=l2tp" in live.stack.daemon_log(node) for node in others),
        NAMED_LIMIT_S)
    successor = live.stack.wait_promoted((node.name for node in others), MOVE_LIMIT_S)
    run.observe(3)
    moved = run.lab.now()
    found = successor.run("vpnha", "status", "--check", check=False)
    run.expect("status_names_it", f"the clock of {fast.name}" in found.stdout, is_true())
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    run.expect("fast_node_asked", live.stack.daemon_log(fast).count(ASKS), equals(0))

    run.step(f"the clock of {fast.name} is right again")
    fast.run_clock_at(0)
    # The fast node votes for nobody before it finds the others right, too.
    run.wait_for("all find it right", lambda: all(
        live.stack.daemon_log(node).count(RIGHT) >= (len(others) if node is fast else 1)
        for node in live.stack.cluster.nodes), RIGHT_LIMIT_S)
    live.stack.wait_in_sync()
    cut = run.lab.now()
    live.cut_power(successor)
    live.stack.wait_protected(1)
    run.observe(3)
    until = run.lab.now()
    seen = live.end()
    client = seen.client("client1")
    run.expect("move_gap_ms", worst_gap_ms(client, (since, moved)), at_most(MOVE_MS))
    run.expect("cut_silence_ms", worst_gap_ms(client, (cut, until)), at_most(POWER_CUT_MS))
    expect_nothing_else(run, client)
