# SPDX-License-Identifier: GPL-2.0-or-later
"""`vpnha drill node-power` on a standby: the cluster's fencing resets the node that serves.

Purpose: a power cut, and the proof that the fencing works, by an operator's own command.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials, makes traffic and watches the VIP; the drill on a standby that is not the DC.
The node that was reset boots with nothing of a cluster, as nodes of the lab do.

Expected: a standby serves; the drill ends with 6 and no time for the recovery, since a node is
missing; its power was switched, and the session continued; a silence of at most 1 s and nothing
else.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.power import power_events
from vpnlab.steps.drilled import DEGRADED, begin_drill
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    victim, asked = live.active, live.plain_standby
    live.stack.cluster.spare_successors(victim)
    drill = begin_drill(run, live, "node-power", asked, "--recovery", "0s", fault_at=victim)
    drill.wait(DEGRADED)
    run.expect("power_was_switched", [each.node for each in power_events(run.lab)
                                      if each.action == "reboot"], equals([victim.name]))
    # It has no cluster in this life: nobody is to ask it for anything.
    victim.kill()
    drill.report(asked, TAKEOVER_MS)
    run.observe(2)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
