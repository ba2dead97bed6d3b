# SPDX-License-Identifier: GPL-2.0-or-later
"""Corosync of the promoted node hangs for good, and fencing needs 12 s.

Purpose: vpnhad of the node still works, so its renewals arrive. The others have a ring without the
node, and Pacemaker waits for fencing. No order ends the lease, so a standby has to serve after it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the standbys' password for the power switch becomes a wrong
one; Corosync of the promoted node gets a SIGSTOP. After 12 s the password is right again. The
cluster fences the node, which is switched on again.

Expected: client1 sees a silence of at most 2 s, and nothing else: a lease, the promises of its
voters (0.4 s) and a claim fit in it twice. One owner at a time. A standby serves before the node is
fenced. Afterwards all three nodes are in sync, and the session is protected.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import STAND_IN, power_switch_refuses

SCENARIO = Scenario(faults=1, vpnha=True)
REFUSED_S = 12
SILENCE_MS = 2000


def steps(run: Run) -> None:
    live = begin(run)
    stack, hung, standbys = live.stack, live.active, live.standbys
    # It works meanwhile, and does not share a core of the host with the one that serves next.
    live.spare_promoted()
    with power_switch_refuses(standbys):
        run.step(f"Corosync of {hung.name}, which is promoted, hangs; no node can be fenced")
        hung_from = run.lab.now()
        hung.stop_process("corosync")
        run.observe(REFUSED_S)
        run.expect("a_standby_acts", any(STAND_IN in stack.daemon_log(node) for node in standbys),
                   is_true())
        run.expect("still_powered", hung.powered(), equals(True))
    run.step("the power switch obeys again")
    live.wait_fenced(hung, hung_from)
    stack.wait_promoted(node.name for node in standbys)
    live.wait_answered()
    hung.reap()
    run.step(f"{hung.name} comes back")
    stack.rejoin(hung.name)
    stack.wait_protected(1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), SILENCE_MS)
