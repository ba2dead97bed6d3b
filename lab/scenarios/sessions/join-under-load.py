# SPDX-License-Identifier: GPL-2.0-or-later
"""A node joins while sessions come and go, and no client notices.

Purpose: a snapshot is sent between urgent updates, never before them; what changes meanwhile
reaches the joiner too. In the end it has what the promoted node has, no more and no less.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 and client2 dial and make traffic; client3 dials and hangs up on several lines
throughout; one standby has lost its power before, is switched on again under that load, boots,
starts its cluster and joins.

Expected: client1 and client2 see no gap longer than 50 ms, or twice the longest of as long a time
in which sessions came and went without a join; at least 20 sessions came; the joiner's replica is
complete and holds exactly the promoted node's sessions.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.host.node import BEHIND_THE_OTHERS, Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.crowd import Crowd
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import expect_unnoticed
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
CLIENTS = ("client1", "client2")
LINES = 5
SESSIONS_MIN = 20
CALM_S = 15
JOIN_S = 40
EQUAL_S = 10


def steps(run: Run) -> None:
    live = begin(run, CLIENTS, place=off_dc, observe_s=0)
    live.spare_promoted()
    stack, joiner = live.stack, live.plain_standby
    run.step(f"{joiner.name}, a standby, has no power; client3 dials and hangs up on {LINES} lines")
    live.lose(joiner)
    stack.cluster.relax()
    crowd = Crowd(run.lab, "client3", LINES)
    crowd.start()
    run.wait_for("every line has been up", lambda: crowd.sessions >= LINES, 30)
    calm_from = run.lab.now()
    run.observe(CALM_S)

    run.step(f"{joiner.name} is switched on; {crowd.sessions} sessions so far")
    on_at = run.lab.now()
    # The joiner has a core of its own in life; here it gets what the others leave.
    run.lab.power_on(joiner.name, nice=BEHIND_THE_OTHERS)
    stack.configure(joiner)
    stack.cluster.join(joiner.name)
    stack.wait_complete(joiner, JOIN_S)
    joined_at = run.lab.now()
    run.expect("joined_after_s", round(joined_at - on_at, 1), at_most(JOIN_S))
    run.observe(2)
    until = run.lab.now()
    joiner.prefer()
    run.wait_for(f"{SESSIONS_MIN} sessions have come", lambda: crowd.sessions >= SESSIONS_MIN, 60)
    crowd.stop()

    run.step("the joiner has what the promoted node has")
    compare(run, stack, live.active, joiner)
    run.expect("sessions_that_came", crowd.sessions, at_least(SESSIONS_MIN))
    stack.cluster.tune()
    crowd.hang_up()
    seen = live.end()
    for name in CLIENTS:
        expect_unnoticed(run, seen.client(name), (calm_from, on_at), (on_at, until))


def compare(run: Run, stack: VpnhaStack, active: Node, joiner: Node) -> None:
    """Waits until updates under way have arrived; then both lists, sessions as they are named."""
    run.wait_for("both nodes name the same sessions",
                 lambda: stack.session_names(active) == stack.session_names(joiner), EQUAL_S)
    held = stack.session_names(active)
    run.expect("sessions_of_the_joiner", stack.session_names(joiner), equals(held))
    run.expect("replica_of_the_joiner", stack.status(joiner)["replica"], equals("complete"))
