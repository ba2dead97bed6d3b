# SPDX-License-Identifier: GPL-2.0-or-later
"""A node of the next release among others: sessions move to it and back.

Purpose: a rolling upgrade. vpnhad-next speaks wire versions 1 and 2; with it in the group all speak
what all know, in both directions.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. gw2 runs vpnhad-next.

Steps: client1 dials a node of this release and makes traffic; that one's power is cut, gw2 takes
over; when the lost one is back, the power of gw2 is cut.

Expected: gw2 offers version 2, and the group speaks 1; at each cut a silence of at most 1 s and
nothing else.
"""
from vpnlab.evidence.expectation import equals, is_true
from vpnlab.host.errors import NotFound
from vpnlab.host.stage import BUILD
from vpnlab.product.vpnha_stack import DAEMON_PATH
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
PROGRAM = BUILD / "tests" / "next" / "vpnhad-next"
NEXT = "gw2"


def steps(run: Run) -> None:
    if not PROGRAM.exists():
        raise NotFound("vpnhad-next is not built: cmake --workflow --preset release")
    run.lab.gateway(NEXT).put(DAEMON_PATH, PROGRAM.read_bytes(), mode=0o755)
    live = begin(run, place=lambda name, _dc: name != NEXT)
    stack = live.stack
    versions = {member["name"]: member["wire_version"]
                for member in stack.node_status(live.active)["members"]}
    run.expect("offered_by_the_next", versions.pop(NEXT), equals(2))
    run.expect("offered_by_the_others", set(versions.values()) == {1}, is_true())
    run.expect("spoken", stack.node_status(live.active)["wire_version"], equals(1))

    stack.avoid([node.name for node in live.standbys if node.name != NEXT])
    successor = live.cut_power(live.active)
    run.expect("from_this_to_the_next", successor.name, equals(NEXT))
    stack.avoid([])
    stack.rejoin(live.active.name)
    stack.wait_protected(1)

    live.cut_power(successor)
    stack.wait_protected(1)
    run.observe(2)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
