# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby stands in, and its vpnhad dies before the group knows of it.

Purpose: whoever stands in has begun no epoch before its barrier came back. The next one finds the
old one's sessions, all of them.

Topology: client1 -- outside -- gw1 to gw5 -- inside -- server. Five, because of three the next one
would need the vote of the vpnhad that is started anew, which waits for Corosync's ring.

Steps: client1 dials and makes traffic; the power of the promoted node is cut; vpnhad of the standby
that stands in is killed before it has notified the group.

Expected: a third node serves in the same session; no silence is longer than 2.5 s, nothing else
happens to the client, and one owner speaks at a time.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import ANNOUNCED, wait_stands_in

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "gw4", "gw5", "client1", "server"), faults=2,
                    vpnha=True)


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    run.step(f"power cut of {dead.name}, which is promoted")
    dead.power_off()
    first = wait_stands_in(live, standbys)
    first.kill_process(DAEMON)
    run.expect("it_had_notified_the_group", ANNOUNCED in stack.daemon_log(first), equals(False))
    others = [node for node in standbys if node is not first]
    second = wait_stands_in(live, others)
    live.wait_answered()
    run.step(f"{second.name} serves")
    stack.wait_promoted(node.name for node in others)
    stack.wait_in_sync()
    stack.wait_protected(1)
    run.observe(2)
    seen = live.end()
    run.expect("served_by", [each.node for each in seen.owners][:3],
               equals([dead.name, first.name, second.name]))
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
