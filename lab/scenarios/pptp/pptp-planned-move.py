# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted role moves away from a living node, and a PPTP session moves with it, and back.

Purpose: the gate is shut before the last numbers are read, so they are final: the successor asks
the client nothing, and wastes no number. The first move is away from pptpd, the second away from a
data path. A demotion kills pptpd and its clients' processes, and nobody notices it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; stock pptpd in place of xl2tpd.

Steps: client1 dials and makes traffic; the role is banned from its gateway (what an administrator
does before maintenance); then it moves back in the same way. No fault.

Expected: a silence of at most 100 ms at each move, and nothing else, as in pptp-power-cut; each
successor reports that the numbers were exact; no failure is counted.
"""
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.steps.pptp_live import begin_pptp, expect_no_hang_ups
from vpnlab.steps.promise import expect_planned_move
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(vpnha=True)


def steps(run: Run) -> None:
    live = begin_pptp(run)
    stack, first, second = live.stack, live.active, live.plain_standby
    moves = [live.move_role(target) for target in (second, first)]
    run.expect("failures", list(stack.cluster.status().failures), is_empty())
    for node in (second, first):
        resumed = [line for line in stack.daemon_log(node).splitlines() if "event=resumed" in line]
        run.expect(f"exact_at_{node.name}", [line.endswith("exact") for line in resumed],
                   equals([True]))
    seen = live.end()
    (_, there), (_, back) = moves
    expect_no_hang_ups(run, live, (there[0], back[1]))
    for calm, moved in moves:
        expect_planned_move(run, seen.client("client1"), calm, moved)
