# SPDX-License-Identifier: GPL-2.0-or-later
"""The disks below the state directories of all nodes are full, and the promoted node dies.

Purpose: logs fill /var on all nodes alike. A survivor that cannot write what it grants would have
no vote, or would end, with the sessions that it holds hot, just when it is needed.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. The state directories are
on file systems of 256 KiB.

Steps: client1 dials and makes traffic; all three file systems are filled to the last block; the
power of the promoted node is cut.

Expected: another node continues with the session within 1 s; the disks took what was granted and
claimed; both vpnhads are those of before.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.disk import fill_disk, use_small_disk
from vpnlab.steps.live import begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=4, vpnha=True)


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        use_small_disk(node)
    live = begin(run, place=off_dc)
    run.step("the disks of all nodes are full")
    for node in run.lab.gateways:
        fill_disk(node)
    daemons = [node.running(DAEMON) for node in live.standbys]
    run.observe(3)
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(2)
    run.expect("vpnhads", [node.running(DAEMON) for node in live.standbys], equals(daemons))
    for node in live.standbys:
        run.expect(f"{node.name}_saves", live.stack.status(node)["lease"]["saves"], is_true())
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
