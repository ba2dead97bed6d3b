# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill partition` on the node that serves: it is cut off, fenced, and dies with its drill.

Purpose: a dead cluster network, by an operator's own command. What was known before outlives the
node.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stonith-action is off.

Steps: client1 dials, makes traffic and watches the VIP; the drill on the promoted node, first
without --stays-off.

Expected: refused without it; a standby serves; the cluster switches the node off; the record has
its beginning; a silence of at most 1 s and nothing else.
"""
import json

from vpnlab.evidence.expectation import equals
from vpnlab.steps.drilled import RESULT, begin_drill, expect_refused
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    victim, asked = live.active, live.plain_standby
    expect_refused(run, victim, "partition", "--stays-off")
    live.wait_answered()
    live.stack.cluster.spare_successors(victim)
    drill = begin_drill(run, live, "partition", victim, "--stays-off", fault_at=victim)
    live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    live.wait_fenced(victim, drill.begun)
    run.expect("record", json.loads(victim.read_log(RESULT))["outcome"], equals("begun"))
    live.stack.wait_protected(1)
    drill.report(asked, TAKEOVER_MS)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
