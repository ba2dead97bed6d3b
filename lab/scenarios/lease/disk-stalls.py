# SPDX-License-Identifier: GPL-2.0-or-later
"""The disks of all nodes take 200 ms for an fsync, and that of the promoted one none at all.

Purpose: a lease that is renewed each 100 ms and lasts for 300 is not to wait for a disk. What must
be on it first waits beside: a vote, a claim, the news of a node that has started.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. The state directories are
on a file system of the lab's own (FUSE), whose fsyncs last as long as the scenario sets; who waits
for one cannot be killed.

Steps: client1 dials and makes traffic. Each fsync takes 200 ms on all nodes: a standby's vpnhad is
killed, and is a standby in sync again. Then none ends on the promoted node: the same, and the role
moves away from it. Then, with 200 ms, the power of the new promoted node is cut.

Expected: of the standby nothing is noticed, with slow disks and with a stuck one; a silence of at
most 1.5 s for the move, and of 4.8 s for the power cut: 4 s, and two fsyncs of the successor and
two of a voter.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.disk import good_disk, slow_disk, stick_disk, use_stalling_disk
from vpnlab.steps.live import Live, begin, off_dc
from vpnlab.steps.promise import TAKEOVER_MS, UNNOTICED_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.promoted.fault import DAEMON_BACK_S
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=8, vpnha=True)
FSYNC_MS = 200
OBSERVED_S = 6
MOVE_MS = 1500
CUT_MS = TAKEOVER_MS + 4 * FSYNC_MS


def restart_standby(run: Run, live: Live) -> tuple[float, float]:
    """Its vpnhad dies, and is a standby in sync again; returns when that was."""
    begun = run.lab.now()
    live.plain_standby.kill_process(DAEMON)
    run.observe(1)
    live.stack.wait_in_sync(deadline_s=DAEMON_BACK_S)
    run.observe(OBSERVED_S)
    return begun, run.lab.now()


def steps(run: Run) -> None:
    for node in run.lab.gateways:
        use_stalling_disk(run, node)
    live = begin(run, place=off_dc, observe_s=0)
    live.spare_promoted()
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    run.step(f"each fsync takes {FSYNC_MS} ms; vpnhad of {live.plain_standby.name} is killed")
    for node in run.lab.gateways:
        slow_disk(node, FSYNC_MS)
    slow = restart_standby(run, live)
    run.step(f"no fsync ends on {live.active.name}, which is promoted; the same standby again")
    stick_disk(live.active)
    stuck = restart_standby(run, live)
    run.expect("promotions", live.stack.promotions(), equals(promotions))

    run.step(f"the role moves away from {live.active.name}, whose disk is stuck")
    move_at = run.lab.now()
    lost = live.active
    live.stack.avoid([lost.name])
    second = live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    run.observe(2)
    move = (move_at, run.lab.now())
    good_disk(lost)
    slow_disk(lost, FSYNC_MS)
    live.stack.avoid([])
    run.expect("still_promoted", live.stack.wait_in_sync().name, equals(second.name))
    live.stack.wait_protected(1)
    run.step(f"{second.name} serves")
    cut_at = run.lab.now()
    live.cut_power(second)
    live.stack.wait_protected(1)
    cut = (cut_at, run.lab.now())

    seen = live.end()
    client = seen.client("client1")
    limit = max(UNNOTICED_MS, 2 * (worst_gap_ms(client, (calm_from, slow[0])) or 0))
    run.expect("gap_beside_slow_disks_ms", worst_gap_ms(client, slow), at_most(limit))
    run.expect("gap_beside_a_stuck_disk_ms", worst_gap_ms(client, stuck), at_most(limit))
    run.expect("silence_move_ms", worst_gap_ms(client, move), at_most(MOVE_MS))
    run.expect("silence_cut_ms", worst_gap_ms(client, cut), at_most(CUT_MS))
    expect_only_silence(run, client, CUT_MS)
