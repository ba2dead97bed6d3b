# SPDX-License-Identifier: GPL-2.0-or-later
"""Corosync of a standby stands still while a session comes, and then the promoted node dies.

Purpose: the standby's vpnhad and its lease work meanwhile. It cannot know that the others have a
ring without it, so it takes its old records for complete ones. It may vote, but it may not serve:
its records would replace those of the standby that has all sessions.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server. The power switch refuses
everything. Otherwise the cluster would fence the standby first.

Steps: client1 dials and makes traffic. Corosync of the standby that is first in rank gets a
SIGSTOP. When the others have a ring without it, client2 dials, and the other standby confirms its
session. The power of the promoted node is cut. When a standby stands in, that Corosync gets a
SIGCONT: a node that stands in ends it after 2 s without a quorate ring, and the other two have none
without it.

Expected: Corosync stands still for 4.5 s at most. After 5 s the voters refuse its node anyway, and
the scenario would show nothing. The other standby stands in, and nobody else. It needs one vote,
and the node whose Corosync stands still gives it by the lease. So client1 sees a silence of at most
1 s, as in all scenarios of standing in, and nothing else. Both survivors hold both sessions
afterwards, and client2's traffic flows in its first one.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_nothing_else, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import (expect_stood_in, first_in_rank, power_switch_refuses,
                                   wait_stands_in)

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)
RING_S, PROTECTED_S, BACK_S = 3, 3, 30
STILL_S = 4.5
# Of a resync, should there be one.
AFTERWARDS_S = 3


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    still = first_in_rank(run, stack, standbys)
    kept = next(node for node in standbys if node is not still)
    second = run.l2tp_client("client2")
    live.clients.append(second)
    with power_switch_refuses(run.lab.gateways):
        run.step(f"Corosync of {still.name}, a standby, stands still")
        still_from = run.lab.now()
        still.stop_process("corosync")
        run.wait_for(f"{dead.name} and {kept.name} have a ring without it", lambda: all(
            still.spec.id not in stack.members(node) for node in (dead, kept)), RING_S)
        second.dial()
        # The third node is not asked: what asks Corosync there waits.
        run.wait_for(f"{dead.name} has both sessions protected", lambda: [
            each["state"] for each in stack.sessions(dead)] == ["protected"] * 2, PROTECTED_S)
        run.step(f"power cut of {dead.name}, which is promoted")
        dead.power_off()
        wait_stands_in(live, standbys)
        still.continue_process("corosync")
        still_s = round(run.lab.now() - still_from, 2)
        run.step(f"Corosync of {still.name} continues")
        run.expect("corosync_stood_still_s", still_s, at_most(STILL_S))
        ring = {node.spec.id for node in standbys}
        run.wait_for("the survivors have a ring",
                     lambda: all(stack.members(node) == ring for node in standbys), BACK_S)
        run.observe(AFTERWARDS_S)
        expect_stood_in(live, kept)
        run.expect("sessions", {node.name: len(stack.sessions(node)) for node in standbys},
                   equals({node.name: len(live.clients) for node in standbys}))
        second.start_traffic()
        run.observe(1)
        live.hang_up()
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
    expect_nothing_else(run, seen.client("client2"))
