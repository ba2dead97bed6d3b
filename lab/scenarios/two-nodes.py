# SPDX-License-Identifier: GPL-2.0-or-later
"""Of two nodes the promoted one dies; power fencing confirms it, and the other one goes on alone.

Purpose: two voters are both needed, and a node that hears nothing cannot know whether the other one
is dead. Power knows; fence_vpnha in mode=confirm tells vpnhad when the power device has succeeded.

Topology: client1 -- outside -- gw1, gw2 -- inside -- server; two_node in corosync.conf;
stonith/two-nodes.crm.

Steps: client1 dials and makes traffic; the power of the promoted node is cut; it comes back.

Expected: a silence of at most 4 s and nothing else; never two owners; the node that is left went on
alone, and the other one is a standby in sync again.
"""
from vpnlab.cluster import TWO_NODES
from vpnlab.expectation import at_least, equals
from vpnlab.live import begin
from vpnlab.promise import expect_only_silence
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "gw2", "client1", "server"), faults=1, vpnha=True)
# 0.65 s until Corosync has noticed, 0.45 s until Pacemaker acts (0.6 s more when the dead node was
# its DC), 0.75 to 1.75 s priority-fencing-delay (stonith/two-nodes.crm), and 0.4 s for power, the
# confirmation and the promotion.
OUTAGE_MS = 4000


def steps(run: Run) -> None:
    live = begin(run, fencing=TWO_NODES)
    left = live.standbys[0]
    live.cut_power(live.active)
    run.observe(3)
    run.expect("went_on_alone", live.stack.daemon_log(left).count("event=alone"), at_least(1))
    run.expect("sessions", len(live.stack.sessions(left)), equals(1))
    run.step(f"{live.active.name} comes back")
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
