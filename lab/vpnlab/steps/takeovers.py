# SPDX-License-Identifier: GPL-2.0-or-later
"""Many deaths of promoted gateways, one after the other under the same session, whose standbys wait
for Pacemaker: how long takeovers take is a distribution, and one run shows one value of it."""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..evidence.expectation import at_most, equals
from ..evidence.result import ClientResult, Event, phases_ms
from ..host.lab import Fault
from .live import Live, Place, begin
from .promise import expect_nothing_else, worst_gap_ms
from .run import Run

ROUNDS = 20
# By power fencing. By marks two programs more run on the way, each 0.1 s and more in the lab.
OUTAGE_MS = 2500
BEFORE_S = 0.1
OUTAGE_BY_MARKS_MS = 3000
CALM_S = 1.0
FILE = "takeovers.json"


def take_over_again_and_again(run: Run, place: Place, fencing: Path | None = None) -> None:
    """Cuts the power of the promoted node ROUNDS times, each time at the wanted place; the dead
    node is a standby again before the next. Writes FILE beside the result."""
    live = begin(run, place=place, fencing=fencing, waiting=True)
    stack = live.stack
    for number in range(ROUNDS):
        dc = stack.cluster.status().dc
        active = stack.move_role(lambda name: place(name, dc))
        # A gap of the round before is none of this one.
        live.wait_answered()
        run.observe(CALM_S)
        run.step(f"round {number + 1} of {ROUNDS}")
        live.cut_power(active)
        stack.rejoin(active.name)
        stack.wait_protected(1)
    seen = live.end()
    client = seen.client("client1")
    rounds = takeovers(run.lab.faults, seen.events, client)
    (run.out / FILE).write_text(json.dumps(rounds, indent=1) + "\n", encoding="utf-8")
    silences = [each["silence_ms"] for each in rounds]
    run.expect("takeovers", len(silences), equals(ROUNDS))
    run.expect("longest_silence_ms", None if None in silences else max(silences, default=None),
               at_most(OUTAGE_MS if fencing is None else OUTAGE_BY_MARKS_MS))
    expect_nothing_else(run, client)


def each_gateway_dies_once(run: Run, live: Live, sessions: int) -> None:
    """Three times: the power of the promoted gateway is cut, another one serves, and the dead one
    returns and is in sync again. Each gateway dies once."""
    stack = live.stack
    victims: list[str] = []
    for number in range(3):
        active = stack.wait_in_sync()
        victims.append(active.name)
        # Who has died already would be as good a successor; but each gateway is to die once.
        stack.avoid(victims[:-1] if number == 1 else [])
        live.cut_power(active)
        stack.avoid([])
        stack.rejoin(active.name)
        stack.wait_protected(sessions)
        run.observe(2)
    run.expect("each_gateway_died_once", sorted(victims), equals(["gw1", "gw2", "gw3"]))


def takeovers(faults: Sequence[Fault], events: Iterable[Event],
              client: ClientResult) -> list[dict[str, Any]]:
    """Of each power cut: what the client saw of it, and when each phase was reached, in ms."""
    cuts = [fault.t for fault in faults if fault.kind == "power-off"]
    # The next silence begins with the last answer before its cut.
    ends = [*(cut - BEFORE_S for cut in cuts[1:]), float("inf")]
    known = list(events)
    return [{"silence_ms": worst_gap_ms(client, (cut, end)),
             **dataclasses.asdict(phases_ms(known, cut, end))} for cut, end in zip(cuts, ends)]
