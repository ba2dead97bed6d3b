# SPDX-License-Identifier: GPL-2.0-or-later
"""A lease that sizes itself narrows, widens when a standby stalls, and narrows again.

Purpose: `duration = "auto"`. The lease is as short as the slowest node allows, and no node loses it
while it changes.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha.toml has duration = "auto" and watch = "60s"; client1 dials and makes traffic. The
first minute ends; vpnhad of a standby stands still for 0.1 s; a minute later that does not count
any more. Then the power of the promoted gateway is cut.

Expected: the lease is 300 ms long, shorter after the first minute, 270 ms or more within 5 s of the
stall, and shorter again afterwards. The lease is lost at no time. The power cut is a silence of
0.6 s at most, and the session continues.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.product.cluster import Cluster
from vpnlab.product.vpnha_stack import DAEMON, VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
KEYS = ('duration = "auto"', 'watch = "60s"')
WIDEST_MS, STALLED_S = 300.0, 0.1
# 8/3 of the stall, in steps of 10 ms.
WIDENED_MS = 270.0
# The first minute, and one of 28 parts of the watch more.
NARROW_LIMIT_S = 90
WIDEN_LIMIT_S = 5
CALM_S = 10
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    live = begin(run, stack=VpnhaStack(run.lab, Cluster(run.lab), lease=KEYS))
    stack, standby = live.stack, live.standbys[0]

    def lease_ms() -> float:
        return float(stack.status(live.active)["lease"]["duration_ms"])

    def wait_narrow(what: str) -> float:
        run.lab.wait_for(what, lambda: lease_ms() < WIDENED_MS, NARROW_LIMIT_S)
        run.observe(CALM_S)
        return lease_ms()
    run.expect("first_lease_ms", lease_ms(), equals(WIDEST_MS))
    narrow = wait_narrow("the first minute has ended and the lease is shorter")
    run.expect("narrow_lease_ms", narrow, at_most(WIDENED_MS - 10))
    run.step(f"vpnhad of {standby.name} stands still for {STALLED_S} s")
    standby.pause_process(DAEMON, STALLED_S)
    run.lab.wait_for("the lease is longer", lambda: lease_ms() >= WIDENED_MS, WIDEN_LIMIT_S)
    run.expect("narrow_again_ms", wait_narrow("the stall does not count any more"),
               at_most(WIDENED_MS - 10))
    lapses = stack.daemon_log(live.active).count("why=lapsed")
    run.expect("lapses", lapses, equals(0))
    live.cut_power(live.active)
    stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
