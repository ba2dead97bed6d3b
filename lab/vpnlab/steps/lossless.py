# SPDX-License-Identifier: GPL-2.0-or-later
"""Planned moves under numbered datagrams, up to 1 000 a second each way (100 on emulated nodes):
none is lost, none is overtaken, and those that waited for the successor's gate did not wait
long."""
from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Callable, Sequence

from ..evidence.capture_logs import line_time
from ..evidence.expectation import at_least, at_most, equals, is_empty
from ..host.node import Node
from ..host.topology import L2TP
from ..product.probes import SERVER_ADDRESS
from ..traffic.nat import Tool
from .live import Live
from .promise import PLANNED_MS, Span, expect_planned_move
from .run import Run

PORT = 7007
FILE = "planned-moves.json"
MOVES = 4
# A datagram that is sent so long before the move may be on its way when the move begins.
BEFORE_S = 0.01
# The old node sends on for 200 ms. Emulated nodes take longer for everything else.
WINDOW_S = 0.3
# Datagrams a second that an emulated client can send and count.
SLOW_RATE = 100


@dataclasses.dataclass(frozen=True)
class Load:
    """Datagrams a second of each client, each way. What a move may add to their round trips (p99,
    beyond the median of the calm time before): an answer may have to wait in each direction. And
    how long a client's pings may be without an answer."""

    rate: int = 1000
    added_p99_ms: float = 25.0
    gap_ms: float = PLANNED_MS

    def at_most(self, rate: int) -> Load:
        """The same with no more than so many datagrams a second."""
        return dataclasses.replace(self, rate=min(self.rate, rate))


@dataclasses.dataclass(frozen=True)
class Numbered:
    """What numbered.py has seen; times of the host."""

    sent: list[float]
    answers: list[tuple[int, int, float]]

    @staticmethod
    def of(result: dict, offset_s: float) -> Numbered:
        return Numbered([each / 1e9 - offset_s for each in result["sent"]],
                        [(number, answer, at / 1e9 - offset_s)
                         for number, answer, at in result["answers"]])

    def lost(self, span: Span) -> tuple[int, int]:
        """On the way to the server, and on the way back, of what was sent in the span."""
        answered = {number for number, _, _ in self.answers}
        missing = [number for number, at in enumerate(self.sent)
                   if span[0] <= at <= span[1] and number not in answered]
        # The server has counted what it got: numbers of answers that are missing were lost behind
        # it. They belong to the span if the answers around them do.
        got = sorted((answer, number) for number, answer, _ in self.answers)
        back = sum(after - before - 1 for (before, _), (after, number) in zip(got, got[1:])
                   if span[0] <= self.sent[number] <= span[1])
        return max(0, len(missing) - back), back

    def overtaken(self, span: Span) -> tuple[int, int]:
        """Datagrams that an older one followed: as the server got them, and as the client did."""
        there = sorted((answer, number) for number, answer, _ in self.answers)
        back = [(at, answer, number) for number, answer, at in self.answers]
        return (self._falls([(number, number) for _, number in there], span),
                self._falls([(answer, number) for _, answer, number in back], span))

    def _falls(self, seen: Sequence[tuple[int, int]], span: Span) -> int:
        newest, falls = -1, 0
        for value, number in seen:
            falls += value < newest and span[0] <= self.sent[number] <= span[1]
            newest = max(newest, value)
        return falls

    def round_trips(self, span: Span) -> list[float]:
        """In ms."""
        return [1000 * (at - self.sent[number]) for number, _, at in self.answers
                if span[0] <= self.sent[number] <= span[1]]


def added_p99_ms(seen: Numbered, calm: Span, moved: Span) -> float | None:
    """Of the datagrams from the move's beginning on: p99 beyond the calm median, by the nearest
    rank."""
    before, during = seen.round_trips(calm), sorted(seen.round_trips(moved))
    if not before or not during:
        return None
    return round(during[math.ceil(0.99 * len(during)) - 1] - statistics.median(before), 1)


@dataclasses.dataclass(frozen=True)
class Moved:
    """What one client's datagrams met in one move: how many were sent while the gateway moved, how
    many were lost and overtaken, there and back."""

    client: str
    sent: int
    lost: tuple[int, int]
    overtaken: tuple[int, int]
    added_p99_ms: float | None

    @staticmethod
    def of(client: str, seen: Numbered, calm: Span, moved: Span, window: Span) -> Moved:
        return Moved(client, len(seen.round_trips(window)), seen.lost(moved),
                     seen.overtaken(moved), added_p99_ms(seen, calm, window))


# Asserts what one move of a number was for one client.
Expect = Callable[[Run, str, Load, Moved], None]


def move_without_loss(run: Run, live: Live, load: Load = Load()) -> None:
    """The role goes there and back under the datagrams of all clients; then all hang up. Writes
    FILE beside the result."""
    _move_often(run, live, load, _expect_no_loss)


def move_unheld(run: Run, live: Live) -> None:
    """The same where no node can hold packets: moves lose some, and no more than that."""
    found = _move_often(run, live, Load(), _expect_short_loss)
    run.expect("lost", sum(sum(each.lost) for each in found), at_least(1))


def _move_often(run: Run, live: Live, load: Load, expect: Expect) -> list[Moved]:
    if run.lab.patience > 1:
        load = load.at_most(SLOW_RATE)
    server = Tool(run.lab, run.lab.node("server"), "numbered.py", "serve", str(PORT),
                  result="numbered-server", word="listening")
    first, second = live.active, live.plain_standby
    spans, found = [], []
    for number in range(1, MOVES + 1):
        calm, moved, seen = _move(run, live, load.rate, number,
                                  first if number % 2 == 0 else second)
        spans.append((calm, moved))
        found += seen
        for each in seen:
            expect(run, f"{each.client}_{{}}_{number}", load, each)
    (run.out / FILE).write_text(json.dumps([dataclasses.asdict(each) for each in found], indent=1)
                                + "\n", encoding="utf-8")
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    server.process.stop()
    measured = live.end()
    for client in live.clients:
        for calm, moved in spans:
            expect_planned_move(run, measured.client(client.name), calm, moved, load.gap_ms)
    return found


def _move(run: Run, live: Live, rate: int, number: int,
          target: Node) -> tuple[Span, Span, list[Moved]]:
    """A client has no room for the datagrams of all moves."""
    askers = {client.name: Tool(run.lab, client.node, "numbered.py", "ask", SERVER_ADDRESS,
                                str(PORT), str(rate), result=f"numbered-{number}", word="asking")
              for client in live.clients}
    before = moved_packets(live)
    calm, moved = live.move_role(target)
    seen = {name: Numbered.of(tool.stop(), run.lab.node(name).clock().offset_s)
            for name, tool in askers.items()}
    sent_on, held, looped = (late - early
                             for late, early in zip(moved_packets(live), before))
    run.step(f"move {number}: {sent_on} were sent on, {held} waited for the gate")
    run.expect(f"looped_{number}", looped, equals(0))
    begun = last_leave(live, moved)
    window = begun - BEFORE_S, begun + WINDOW_S * run.lab.patience
    return calm, moved, [Moved.of(name, each, calm, moved, window) for name, each in seen.items()]


def _expect_no_loss(run: Run, name: str, load: Load, moved: Moved) -> None:
    run.expect(name.format("sent"), moved.sent, at_least(load.rate * WINDOW_S * 0.8))
    run.expect(name.format("lost"), list(moved.lost), equals([0, 0]))
    run.expect(name.format("overtaken"), list(moved.overtaken), equals([0, 0]))
    run.expect(name.format("added_p99_ms"), moved.added_p99_ms, at_most(load.added_p99_ms))


def _expect_short_loss(run: Run, name: str, load: Load, moved: Moved) -> None:
    run.expect(name.format("lost"), max(moved.lost), at_most(load.rate * load.gap_ms / 1000.0))
    run.expect(name.format("overtaken"), list(moved.overtaken), equals([0, 0]))


def last_leave(live: Live, moved: Span) -> float:
    """When the lease was handed over, by the log of the node that gave it up."""
    times = [line_time(line, moved[0]) for node in live.stack.cluster.nodes
             for line in live.stack.daemon_log(node).splitlines()
             if "event=lease-ended" in line and "why=handed_over" in line]
    return max((at for at in times if at is not None and moved[0] <= at <= moved[1]),
               default=moved[0])


def moved_packets(live: Live) -> list[int]:
    """Sent on, held and looped, on all nodes together."""
    shown = [json.loads(node.run("vpnha", "gate", "--json", check=False).stdout)["gateways"]
             for node in live.stack.cluster.nodes]
    moved = [each["moved"] for gateways in shown for each in gateways if each["name"] == L2TP.name]
    return [sum(each[kind] for each in moved) for kind in ("sent_on", "held", "looped")]
