# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node and the standby that would stand in for it lose their power at once.

Purpose: the ranks only keep two from asking at the same time; whoever is next asks a renewal later.

Topology: client1 -- outside -- gw1 to gw5 -- inside -- server.

Steps: client1 dials and makes traffic; the power of the promoted node is cut, and that of the
standby which is first in rank.

Expected: the second in rank, and nobody else, serves within 0.7 s; nothing else happens to the
client; one owner at a time.
"""
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in, first_in_rank, wait_stands_in

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "gw5", "client1", "server"), faults=2,
                    vpnha=True)
# One rank later than where one node dies.
RANK_MS = 100


def steps(run: Run) -> None:
    live = begin(run)
    dead = live.active
    first = first_in_rank(run, live.stack, live.standbys)
    left = [node for node in live.standbys if node is not first]
    run.step(f"power cut of {dead.name}, which is promoted, and of {first.name}")
    dead.power_off()
    first.power_off()
    successor = wait_stands_in(live, left)
    live.stack.wait_promoted(node.name for node in left)
    live.stack.wait_protected(1)
    run.observe(3)
    expect_stood_in(live, successor)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS + RANK_MS)
