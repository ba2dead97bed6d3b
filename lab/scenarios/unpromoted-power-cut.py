# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby dies, and no client notices.

Purpose: protection costs the protected nothing. While Corosync forms a new ring, Pacemaker fences
the lost node and the replica goes on with one standby less, the promoted gateway serves as if
nothing had happened.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the power of a standby is cut. The third node is the
cluster's DC: nodes of the lab have one core, and what Pacemaker does there is not to be measured.

Expected: no gap longer than 50 ms, or twice the longest of as long a time without a fault; the
same gateway serves, no standby says a word; within 10 s the session is protected on the other
standby alone.
"""
from vpnlab.expectation import equals, is_empty
from vpnlab.live import begin, off_dc
from vpnlab.promise import expect_unnoticed
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OBSERVED_S = 8
PROTECTED_LIMIT_S = 10


def steps(run: Run) -> None:
    live = begin(run, place=off_dc, observe_s=0)
    lost = live.plain_standby
    kept = next(node for node in live.standbys if node is not lost)
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(OBSERVED_S)
    # The same look at the session as after the fault: it costs the gateway's only CPU a process.
    live.stack.wait_protected(1)

    run.step(f"power cut of {lost.name}, a standby")
    cut_at = run.lab.now()
    lost.power_off()
    run.observe(OBSERVED_S)
    live.stack.wait_protected(1, deadline_s=cut_at + PROTECTED_LIMIT_S - run.lab.now())
    until = run.lab.now()
    run.expect("standbys", live.stack.status(live.active)["standbys"], equals([kept.spec.id]))
    run.expect("promotions", live.stack.promotions(), equals(promotions))

    seen = live.end()
    run.expect("served_by_others", [owner.node for owner in seen.owners
                                    if owner.t > calm_from], is_empty())
    expect_unnoticed(run, seen.client("client1"), (calm_from, cut_at), (cut_at, until))
