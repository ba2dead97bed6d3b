# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps that the power cut scenarios share: a session on one gateway, the cut, what the client
saw."""
from __future__ import annotations

from .expectation import at_least
from .node import Node
from .promise import expect_only_silence, expect_silent_standbys
from .run import Run
from .vpnha_stack import VpnhaStack

OUTAGE_MS = 2500
AFTERWARDS_S = 5


def cut_power_under_traffic(run: Run, stack: VpnhaStack, active: Node) -> None:
    """`active` is promoted, the others are in sync. Ends with the client hung up and measured."""
    run.start_echo_server()
    client = run.l2tp_client("client1")
    client.dial()
    stack.wait_protected(1)
    run.step(f"{active.name} serves client1; two standbys hold its session")
    client.start_traffic()
    run.observe(3)

    run.step(f"power cut of {active.name}")
    active.power_off()
    successor = stack.wait_promoted()
    answered = client.answered_pings()
    run.wait_for("pings are answered again", lambda: client.answered_pings() > answered, 10)
    run.step(f"{successor.name} has resumed the session; {AFTERWARDS_S} s more")
    stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    client.stop_traffic()

    run.step("client1 hangs up")
    client.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, deadline_s=15)
    seen = run.measure()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
    expect_silent_standbys(run, seen)
