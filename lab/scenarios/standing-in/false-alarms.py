# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad of the promoted node stands still again and again, for less than a second each time.

Purpose: a false alarm costs the lease's silence and nothing else. The standbys ask the kernel of a
node that does not answer, and wait for one that answers.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials by L2TP and makes traffic. vpnhad of the promoted node gets a SIGSTOP, and a
SIGCONT 0.1 to 0.9 s later, twelve times: each tenth of a second once, three more drawn at random.

Expected: no standby stands in, no role moves, no failure is counted. The session is a stock one on
the same node at the end. The client notices a silence no longer than vpnhad stood still.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.product.vpnha_stack import DAEMON
from vpnlab.steps.live import begin
from vpnlab.steps.promise import expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.stand_in import expect_stood_in

TENTHS, DRAWN = 9, 3
SCENARIO = Scenario(faults=TENTHS + DRAWN, vpnha=True)
LONGEST_S = TENTHS / 10
BETWEEN_S = 2.5
OUTAGE_MS = LONGEST_S * 1000


def steps(run: Run) -> None:
    live = begin(run)
    stack, active = live.stack, live.active
    promotions = stack.promotions()
    pauses = [tenth / 10 for tenth in range(1, TENTHS + 1)]
    pauses += [round(run.random.uniform(0.1, LONGEST_S), 2) for _ in range(DRAWN)]
    run.random.shuffle(pauses)
    for number, pause_s in enumerate(pauses):
        run.step(f"standstill {number + 1} of {len(pauses)}: {pause_s} s")
        active.pause_process(DAEMON, pause_s)
        run.observe(BETWEEN_S)
    run.expect("promotions", stack.promotions(), equals(promotions))
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    run.expect("session_states", [each["state"] for each in stack.sessions(active)],
               equals(["protected"]))
    expect_stood_in(live)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
