# SPDX-License-Identifier: GPL-2.0-or-later
"""The administrator puts the promoted node into standby; the sessions move as if by a switchover.

Purpose: planned work costs next to nothing. The demoted node serves on, draining, until its
successor's claim ends its lease.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; `crm_standby` for the promoted node; later it is back.

Expected: a silence of at most 500 ms and nothing else; never two owners; the node's vpnhad ends by
itself and starts again when the node is back.
"""
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=0, vpnha=True)
OUTAGE_MS = 500


def steps(run: Run) -> None:
    live = begin(run)
    first = live.active
    run.step(f"{first.name}, which is promoted, is put into standby")
    ended = live.stack.daemon_log(first).count("event=ended")
    first.run("crm_standby", "--node", first.name, "--update", "on")
    live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    run.wait_for("the node's vpnhad has ended",
                 lambda: live.stack.daemon_log(first).count("event=ended") > ended, 10)
    run.observe(2)
    run.step(f"{first.name} is back")
    first.run("crm_standby", "--node", first.name, "--delete")
    live.stack.wait_in_sync()
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
