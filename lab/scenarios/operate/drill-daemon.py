# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill daemon` on the node that serves: vpnhad is killed, and all is healthy again.

Purpose: a crash, by an operator's own command, which cleans up behind itself.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials, makes traffic and watches the VIP; the drill on the promoted node.

Expected: a standby serves; the drill ends with 0, when both other nodes are standbys in sync and
no failure is counted; the session continued; a silence of at most 2.5 s and nothing else.
"""
from vpnlab.evidence.expectation import is_empty
from vpnlab.steps.drilled import begin_drill
from vpnlab.steps.live import begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    live.spare_promoted()
    drill = begin_drill(run, live, "daemon", live.active, fault_at=live.active)
    drill.wait()
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    live.stack.wait_in_sync()
    live.stack.wait_protected(1)
    drill.report(live.active, REPORTED_MS)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
