# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock of a WireGuard client's next gateway is behind, and its handshakes are ignored.

Purpose: a client takes a handshake only if its time is later than that of the last one which the
gateway began. What that costs has a bound: the client begins by itself after 15 s.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 shakes hands and makes traffic. The power of the promoted gateway is cut, so that its
successor begins a handshake; the dead one returns. The clock of the third gateway is set back by
ten minutes, and the power of the promoted one is cut.

Expected: `vpnha status --check` names the clock of the third gateway. At the first power cut the
client sees a silence of at most TAKEOVER_MS; at the second one of 5 to 25 s. TCP continues.
"""
from vpnlab.evidence.expectation import at_most, between, equals, is_true
from vpnlab.host.node import Node
from vpnlab.steps.promise import TAKEOVER_MS, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

SCENARIO = Scenario(faults=3, vpnha=True)
BEHIND_S = -600
# A standby measures each ten seconds, and believes the second measurement.
NAMED_LIMIT_S = 30
FOUND_LIMIT_S, OBSERVED_S = 40, 3
IGNORED_MS = (5_000, 25_000)


def named_by_check(node: Node) -> bool:
    return "this node's clock is" in node.run("vpnha", "status", "--check", check=False).stdout


def steps(run: Run) -> None:
    live = begin_wireguard(run)
    stack, first = live.stack, live.active
    second, third = live.standbys
    begun_at = run.lab.now()
    stack.avoid([third.name])
    live.cut_power(first)
    stack.avoid([])
    run.observe(OBSERVED_S)
    served_again_at = run.lab.now()
    stack.rejoin(first.name)
    stack.wait_protected(1)

    third.step_clock(BEHIND_S)
    run.wait_for(f"status --check of {third.name} names its clock",
                 lambda: named_by_check(third), NAMED_LIMIT_S)
    stack.avoid([first.name])
    run.step(f"power cut of {second.name}, which is promoted")
    cut_at = run.lab.now()
    second.power_off()
    run.expect("served_by", stack.wait_promoted().name, equals(third.name))
    live.wait_answered(deadline_s=FOUND_LIMIT_S)
    stack.avoid([])
    run.observe(OBSERVED_S)
    until = run.lab.now()

    found = live.end().client("client1")
    run.expect("gap_with_right_clocks_ms", worst_gap_ms(found, (begun_at, served_again_at)),
               at_most(TAKEOVER_MS))
    run.expect("gap_with_a_clock_behind_ms", worst_gap_ms(found, (cut_at, until)),
               between(*IGNORED_MS))
    run.expect("tcp_resets", found.tcp_resets, equals(0))
    run.expect("tcp_intact", found.tcp_intact, is_true())
