# SPDX-License-Identifier: GPL-2.0-or-later
"""Users who may only look fill vpnhad's control socket, and the cluster notices nothing.

Purpose: members of group vpnha read what vpnhad knows, and change nothing. If they could keep root
out, the agents' monitor would fail, and their demote would end vpnhad, on node after node.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all gateways have group vpnha.

Steps: client1 dials and makes traffic. On the promoted node sixteen users open eight connections
each, and ask for the status on all of them, again and again. Then the role moves to another node
and back.

Expected: eight users have their connections, the others none. Nobody is promoted but by the moves,
and no action of an agent fails. client1 sees a silence of at most 500 ms in each move, and none
before them that is longer.
"""
import json

from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)
SOCKET, GROUP = "/run/vpnha/control.sock", "vpnha"
USERS, CONNECTIONS = 16, 8
# Of all users but root together (docs/reference/control-protocol.md).
HELD = 64
# Six monitors of the promoted instance, and one of each of its neighbours.
HELD_S, OBSERVED_S = 60, 15
FULL_LIMIT_S = 30
MOVED_MS = 500
LOG = "/var/log/hold.log"


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        node.run("groupadd", "--system", GROUP)
    live = begin(run)
    node = live.active
    promotions = live.stack.promotions()
    run.step(f"{USERS} users fill the control socket of {node.name}")
    holder = node.start_tool("hold_control.py", SOCKET, GROUP, str(USERS), str(CONNECTIONS),
                             str(HELD_S), output=LOG)
    run.wait_for("the control socket is full", lambda: node.read(LOG) or "", FULL_LIMIT_S)
    begun = run.lab.now()
    run.observe(OBSERVED_S)
    calm = (begun, run.lab.now())
    run.expect("promotions", live.stack.promotions(), equals(promotions))

    begun = run.lab.now()
    live.stack.move_role(lambda name: name != node.name)
    live.stack.wait_protected(1)
    there = (begun, run.lab.now())
    begun = run.lab.now()
    live.stack.move_role(lambda name: name == node.name)
    live.stack.wait_protected(1)
    back = (begun, run.lab.now())
    holder.wait(HELD_S)
    first, last = (json.loads(line) for line in (node.read(LOG) or "").splitlines())
    run.expect("held", (first["held"], last["held"]), equals((HELD, HELD)))
    run.expect("refused", first["refused"], equals(USERS * CONNECTIONS - HELD))
    run.expect("promotions_in_all", live.stack.promotions(), equals(promotions + 2))
    run.expect("failed_actions", live.stack.cluster.status().failures, is_empty())
    client = live.end().client("client1")
    run.expect("calm_gap_ms", worst_gap_ms(client, calm), at_most(MOVED_MS))
    run.expect("there_ms", worst_gap_ms(client, there), at_most(MOVED_MS))
    run.expect("back_ms", worst_gap_ms(client, back), at_most(MOVED_MS))
    expect_only_silence(run, client, MOVED_MS)
