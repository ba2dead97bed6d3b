# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby stands in, and Pacemaker promotes the other one.

Purpose: who stands in is the lease's affair, who is promoted Pacemaker's. Between the two there is
a handover of one round trip.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: the standby that is first in rank is banned from the promoted role; client1 dials and makes
traffic; the power of the promoted node is cut.

Expected: the banned node answers within 0.6 s, in the same session; the other one is promoted, with
no gap longer than 250 ms from then on; nothing else happens to the client; one owner at a time.
"""
from vpnlab.evidence.expectation import at_most, equals, is_true
from vpnlab.steps.live import begin
from vpnlab.steps.promise import POWER_CUT_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import HANDOVER_MS, expect_stood_in, first_in_rank, wait_stands_in

SCENARIO = Scenario(faults=1, vpnha=True)
OBSERVED_S = 4


def steps(run: Run) -> None:
    live = begin(run)
    stack, dead, standbys = live.stack, live.active, live.standbys
    first = first_in_rank(run, live.stack, live.standbys)
    other = next(node for node in standbys if node is not first)
    stack.avoid([first.name])
    run.observe(2)
    run.step(f"power cut of {dead.name}, which is promoted; {first.name} may not be promoted")
    dead.power_off()
    run.expect("the_first_in_rank_acts", wait_stands_in(live, standbys) is first, is_true())
    live.wait_answered()
    served_from = run.lab.now()
    stack.wait_promoted([other.name])
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.expect("role_of_the_first", stack.status(first)["role"], equals("unpromoted"))
    stack.wait_protected(1)
    expect_stood_in(live, first)
    seen = live.end()
    run.expect("served_by", [each.node for each in seen.owners],
               equals([dead.name, first.name, other.name]))
    run.expect("handover_gap_ms", worst_gap_ms(seen.client("client1"), (served_from, until)),
               at_most(HANDOVER_MS))
    expect_only_silence(run, seen.client("client1"), POWER_CUT_MS)
