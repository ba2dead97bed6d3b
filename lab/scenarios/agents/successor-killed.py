# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of the successor dies in the moment of its promotion: the third node serves.

Purpose: two deaths one after the other leave one voter of three. The first vpnhad that died was
started again by keep-vpnhad and votes by now, so the third node is granted the lease.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; vpnhad of the promoted node is killed; that of the node
that is promoted next is killed as soon as it reports that.

Expected: a silence of at most 1 s and nothing else; never two owners; all nodes are in sync again
by themselves.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.promoted.fault import DAEMON_BACK_S, PROMOTED_S
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    stack = live.stack
    run.step(f"vpnhad of {live.active.name}, which is promoted, is killed")
    live.active.kill_process(DAEMON)
    successor = stack.wait_promoted((node.name for node in live.standbys), PROMOTED_S)
    run.step(f"vpnhad of {successor.name}, which was just promoted, is killed")
    successor.kill_process(DAEMON)
    third = next(node for node in live.standbys if node is not successor)
    stack.wait_promoted([third.name], PROMOTED_S)
    live.wait_answered()
    run.observe(2)
    stack.wait_in_sync(deadline_s=DAEMON_BACK_S)
    stack.wait_protected(1)
    run.expect("promoted", stack.wait_promoted().name, equals(third.name))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
