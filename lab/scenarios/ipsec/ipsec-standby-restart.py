# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby is started anew, vpnhad of another one too; then each of them has to serve.

Purpose: who joins late has all SAs like all others. A vpnhad that finds a charon which lives does
not know what that has: it is made empty, and fed again.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server; client1 -- outside.
home1 speaks L2TP/IPsec, client1 IKEv2.

Steps: both dial and make traffic. The power of one standby is cut, and it returns; vpnhad of the
other one is killed, and it is in sync again. The role moves to the one, and then to the other.

Expected: a silence of at most 1 s at each move and nothing else.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.ipsec.live import CLIENTS, IPSEC_NODES, begin_ipsec, expect_silences
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=IPSEC_NODES, faults=2, vpnha=True)
BACK_S = 75


def steps(run: Run) -> None:
    live = begin_ipsec(run)
    stack = live.stack
    returned, restarted = live.standbys
    run.step(f"power cut of {returned.name}, a standby")
    cut_at = run.lab.now()
    live.lose(returned)
    live.wait_fenced(returned, cut_at)
    stack.rejoin(returned.name)
    stack.wait_protected(len(CLIENTS))

    run.step(f"vpnhad of {restarted.name}, a standby, is killed")
    restarted.kill_process(DAEMON)
    run.observe(2)
    stack.wait_in_sync(deadline_s=BACK_S)
    stack.clear_failures()
    stack.wait_protected(len(CLIENTS))

    for node in (returned, restarted):
        run.step(f"the role moves to {node.name}")
        moved_to = stack.move_role(lambda name: name == node.name)
        run.expect(f"moved_to_{node.name}", moved_to.name, equals(node.name))
        stack.wait_protected(len(CLIENTS))
        run.observe(2)
    seen = live.end()
    expect_silences(run, seen, TAKEOVER_MS)
