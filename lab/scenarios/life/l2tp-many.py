# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred sessions of L2TP outlive two power cuts, and some of them end in between.

Purpose: tunnels are resumed in turns, each with Ns and Nr of its own; what ends on a successor
leaves nothing behind, and newcomers find room beside what was taken over.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; client2 and client3 dial 50 sessions each, all of which ping
the server; the power of the promoted gateway is cut. Ten sessions of each hang up, and dial anew.
The power of the successor is cut.

Expected: after each power cut the server answers through every session, and none was set up anew.
client1 sees a silence of at most 1 s each time and nothing else. Nothing is left when all have hung
up.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.cluster import Cluster
from vpnlab.product.lines import Lines, LinesStack
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=2, vpnha=True)
SESSIONS, HANG_UPS, AT_ONCE = 50, 10, 5
UP_LIMIT_S, DOWN_LIMIT_S, PROTECTED_LIMIT_S = 30, 30, 60
AFTERWARDS_S = 3


def steps(run: Run) -> None:
    live = begin(run, observe_s=0, stack=LinesStack(run.lab, Cluster(run.lab)))
    parts = [Lines(run.lab, run.lab.node(name), range(first, first + SESSIONS))
             for name, first in (("client2", 0), ("client3", SESSIONS))]
    everyone = 1 + len(parts) * SESSIONS
    run.step(f"client2 and client3 dial {SESSIONS} sessions each")
    for part in parts:
        part.start()
        dial(run, part, part.numbers)
    live.stack.wait_protected(everyone, PROTECTED_LIMIT_S)
    expect_answered(run, "before", parts)
    first = live.active
    live.cut_power(first)
    live.stack.wait_protected(everyone, PROTECTED_LIMIT_S)
    run.observe(AFTERWARDS_S)
    expect_answered(run, "after_the_first", parts)
    run.expect("set_up_until_then", [part.sessions() for part in parts],
               equals([SESSIONS] * len(parts)))
    live.stack.rejoin(first.name)

    run.step(f"{HANG_UPS} sessions of each hang up, and dial anew")
    for part in parts:
        chosen = part.numbers[:HANG_UPS]
        part.hang_up(chosen)
        run.wait_for("they are down", lambda: not part.up() & set(chosen), DOWN_LIMIT_S)
        dial(run, part, chosen)
    live.stack.wait_protected(everyone, PROTECTED_LIMIT_S)
    live.cut_power(live.stack.wait_in_sync())
    live.stack.wait_protected(everyone, PROTECTED_LIMIT_S)
    run.observe(AFTERWARDS_S)
    expect_answered(run, "after_the_second", parts)
    run.expect("set_up", [part.sessions() for part in parts],
               equals([SESSIONS + HANG_UPS] * len(parts)))
    for part in parts:
        part.hang_up(part.numbers)
        run.wait_for("all are down", lambda: not part.up(), DOWN_LIMIT_S)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def dial(run: Run, part: Lines, numbers: range) -> None:
    """A few at a time: the node has one core for all of its pppds."""
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at:at + AT_ONCE]
        part.dial(some)
        run.wait_for("those that dial are up", lambda: part.up() >= set(some), UP_LIMIT_S)


def expect_answered(run: Run, when: str, parts: list[Lines]) -> None:
    run.expect(f"answered_{when}", [len(part.answered(SERVER_ADDRESS)) for part in parts],
               equals([SESSIONS] * len(parts)))
