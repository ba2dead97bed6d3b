# SPDX-License-Identifier: GPL-2.0-or-later
"""The same fault again and again, in turns to a gateway for which a standby stands in, and to one
that waits for Pacemaker: two gateways of one cluster, promoted on different nodes."""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from ..evidence.expectation import at_most, equals
from ..evidence.result import ClientResult, Event
from ..host.node import Node
from ..host.topology import L2TP, L2TP_2, VpnGateway
from ..product.cluster import Cluster
from ..product.vpnha_stack import PROMOTED, VpnhaStack
from .stand_in import STAND_IN_LIMIT_S, first_in_rank
from .live import Live, Place, begin
from .promise import expect_nothing_else, worst_gap_ms
from .run import Run

ROUNDS = 5
STANDS_IN, WAITS = L2TP, L2TP_2
CLIENTS = {STANDS_IN: "client1", WAITS: "client2"}
# A silence that shows a failed takeover, whatever the machine does meanwhile.
WORST_MS = 5000
CALM_S = 1.5
AFTERWARDS_S = 1.0
PROTECTED_LIMIT_S = 30
FILE = "standing-in.json"
# Turns of a takeover, in the order in which they come; what waits knows the last one only.
TURNS = {"asks": "stand-in-asks", "serves": "stand-in", "open": "gate-open",
         "announced": "stand-in-announced"}
# In a line of /proc/stat: time that a hypervisor gave to others.
STEAL = 7

# What is done to the promoted node, and what brings it back as a standby.
Act = Callable[[VpnhaStack, Node], None]


@dataclasses.dataclass
class Round:
    """One fault: of which gateway, when, until when its client was observed, and how much of the
    machine a hypervisor gave to others meanwhile."""

    gateway: VpnGateway
    t: float
    until: float = 0.0
    stolen_percent: float = 0.0


def compare(run: Run, place: Place, act: Act, back: Act, apart: bool = False) -> None:
    """ROUNDS faults for each gateway. `apart`: the node lives, and works while the next one is
    promoted. Writes FILE beside the result."""
    live = begin(run, clients=(), place=place, observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), (STANDS_IN, WAITS), waiting=(WAITS,)))
    for gateway, name in CLIENTS.items():
        live.dial(name, gateway)
    rounds: list[Round] = []
    for number in range(ROUNDS):
        for gateway in CLIENTS:
            run.step(f"round {number + 1} of {ROUNDS}, {gateway.name}")
            rounds.append(_strike(live, gateway, place, act, back, apart))
    seen = live.end()
    found = [figures(each, seen.events, seen.client(CLIENTS[each.gateway])) for each in rounds]
    (run.out / FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for gateway, name in CLIENTS.items():
        silences = [each["silence_ms"] for each in found
                    if each["stands_in"] == (gateway is STANDS_IN)]
        run.expect(f"{gateway.name}_rounds", len(silences), equals(ROUNDS))
        run.expect(f"{gateway.name}_longest_silence_ms",
                   None if None in silences else max(silences), at_most(WORST_MS))
        expect_nothing_else(run, seen.client(name))


def _strike(live: Live, gateway: VpnGateway, place: Place, act: Act, back: Act,
            apart: bool) -> Round:
    stack, run = live.stack.of(gateway), live.run
    other = live.stack.of(WAITS if gateway is STANDS_IN else STANDS_IN)
    dc = stack.cluster.status().dc
    active = stack.move_role(lambda name: place(name, dc))
    other.move_role(lambda name: name != active.name)
    standbys = [node for node in stack.cluster.nodes if node is not active]
    if gateway is STANDS_IN:
        first_in_rank(run, stack, standbys)
    if apart:
        run.lab.share_cores(standbys, [active, *(client.node for client in live.clients)])
    else:
        stack.cluster.spare_successors(active)
    client = next(each for each in live.clients if each.gateway is gateway)
    # A gap of the round before is none of this one.
    live.wait_answered(client)
    run.observe(CALM_S)
    before = cpu_times()
    found = Round(gateway, run.lab.now())
    act(stack, active)
    stack.wait_promoted((node.name for node in standbys), STAND_IN_LIMIT_S)
    live.wait_answered(client)
    run.observe(AFTERWARDS_S)
    found.until = run.lab.now()
    spent = [after - start for start, after in zip(before, cpu_times())]
    found.stolen_percent = round(100 * spent[STEAL] / sum(spent), 1)
    back(stack, active)
    for each in (stack, other):
        each.wait_in_sync()
        each.wait_protected(1, PROTECTED_LIMIT_S)
    return found


def cpu_times() -> list[int]:
    """Of the host, user to steal."""
    with open("/proc/stat", encoding="ascii") as file:
        return [int(each) for each in file.readline().split()[1:STEAL + 2]]


def figures(found: Round, events: list[Event], client: ClientResult) -> dict[str, Any]:
    """What the client saw of the fault, and when each turn was reached, in ms."""
    own = [event for event in events if found.t <= event.t < found.until
           and f"gateway={found.gateway.name} " in f"{event.text} "]

    def first(*kinds: str) -> Event | None:
        return next((event for event in own if event.kind in kinds), None)

    def ms(event: Event | None) -> int | None:
        return None if event is None else round((event.t - found.t) * 1000)
    stood_in, promoted = first(TURNS["serves"]), first(*PROMOTED)
    return {"stands_in": found.gateway is STANDS_IN,
            "silence_ms": worst_gap_ms(client, (found.t, found.until)),
            **{name: ms(first(kind)) for name, kind in TURNS.items()},
            "promoted": ms(promoted),
            "handed_over": stood_in is not None and promoted is not None
            and stood_in.node != promoted.node,
            "stolen_percent": found.stolen_percent}


def clear(stack: VpnhaStack, _node: Node) -> None:
    """What an administrator does when a failure is understood."""
    stack.clear_failures()


def cut_power(_stack: VpnhaStack, node: Node) -> None:
    node.power_off()


def rejoin(stack: VpnhaStack, node: Node) -> None:
    stack.rejoin(node.name)
