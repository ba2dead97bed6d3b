# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of the lease in a run of the lab, and lease.pml with these events alone."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pan

# Lines of the log have steps of 10 ms, and each node's clock its own offset.
SLACK_MS = 30.0
# Half a lease of 300 ms; and so many ticks that behind them nothing of before is left.
TICK_MS = 150.0
QUIET_TICKS = 8
EPOCH = re.compile(r"\bepoch=(\d+)\.(\d+)")
GRANTED = re.compile(r"\bgranted=(\d+)\.(\d+)")
CLAIM_WAITS = re.compile(r"\bclaims epoch (\d+)\.(\d+)")
GATEWAY = re.compile(r"\bgateway=(\S+)")
# Nothing of these is behind an open gate.
ENDS = ("stand-in-ended", "demoted", "superseded", "fenced", "ended", "stopped")


class NotCovered(Exception):
    """The run has what the specification leaves out."""


@dataclass
class Event:
    t_ms: float
    node: int
    # GRANT, DRAIN, HAND (ended for a successor), END, CRASH, START
    kind: str
    # As in lease.pml; of GRANT, HAND and END.
    epoch: int = 0
    # Of a GRANT: a majority had agreed to a question before.
    asked: bool = False
    # Nobody knows when: at t_ms at the latest.
    free: bool = False


@dataclass
class Run:
    nodes: int
    events: list[Event]

    def of(self, node: int) -> list[Event]:
        return [event for event in self.events if event.node == node]


@dataclass
class _Node:
    """What one node's lines have shown so far."""

    index: int
    events: list[Event] = field(default_factory=list)
    started: bool = False
    down: bool = False
    owned: int = 0
    drains: bool = False
    asks: bool = False
    by_question: bool = False

    def add(self, t_ms: float, kind: str, **more: object) -> None:
        self.events.append(Event(t_ms, self.index, kind, **more))  # type: ignore[arg-type]

    def grant(self, t_ms: float, epoch: int, asked: bool) -> None:
        if epoch == self.owned:
            return
        # The lease before has lapsed: its line may come behind the line of the new one.
        self.end(t_ms, "END", free=True)
        self.add(t_ms, "GRANT", epoch=epoch, asked=asked)
        self.owned, self.by_question = epoch, asked

    def end(self, t_ms: float, kind: str, free: bool) -> None:
        if not self.owned:
            return
        if kind == "HAND" and not self.drains and not self.by_question:
            # It yields: a service or a link of it is lost.
            self.add(t_ms, "DRAIN")
        self.add(t_ms, kind, epoch=self.owned, free=free)
        self.owned, self.drains = 0, False

    def crash(self, t_ms: float, free: bool) -> None:
        self.add(t_ms, "CRASH", free=free)
        self.down, self.owned, self.drains, self.asks = True, 0, False, False

    def line(self, t_ms: float, word: str, text: str) -> None:
        if word == "started":
            if self.started and not self.down:
                self.crash(t_ms, free=True)
            if self.started:
                self.add(t_ms, "START")
            self.started, self.down = True, False
        elif word == "stand-in-asks":
            self.asks = True
        elif word == "stand-in":
            self.grant(t_ms, _epoch(GRANTED, text), asked=self.asks)
            self.asks = False
        elif word == "claimed":
            self.grant(t_ms, _epoch(EPOCH, text), asked=False)
        elif word == "claim-waits":
            self.grant(t_ms, _epoch(CLAIM_WAITS, text), asked=False)
        elif word == "draining" and self.owned and not self.drains:
            self.add(t_ms, "DRAIN")
            self.drains = True
        elif word == "lease-ended":
            # Its epoch is the group's, which may be an older one than the lease's.
            # The kernel shuts the gate of a lapsed lease; vpnhad may notice that later.
            self.end(t_ms, "HAND" if "why=handed_over" in text else "END",
                     free="why=lapsed" in text)
        elif word in ENDS:
            self.end(t_ms, "END", free=True)


def _epoch(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    if found is None:
        raise NotCovered(f"a line without an epoch: {text}")
    return epoch_of(int(found[1]), int(found[2]) - 1)


def epoch_of(number: int, node: int) -> int:
    return number * 4 + node + 1


def name_of(epoch: int) -> str:
    return f"{epoch // 4}.{epoch % 4}"


def read(result: Mapping[str, object]) -> Run:
    """`result`: of the lab's result.json; see its `timeline` in lab/result.schema.json."""
    timeline: list[dict[str, object]] = result["timeline"]  # type: ignore[assignment]
    lines = [(float(line["t_ms"]), str(line["node"]), *_split(str(line["event"])))  # type: ignore
             for line in timeline]
    names = sorted({node for _, node, word, _ in lines if word == "started"})
    witness = any(word == "voters" and "count=3" in text for _, _, word, text in lines)
    if len(names) != 3 and not (len(names) == 2 and witness):
        raise NotCovered(f"{len(names)} nodes{'' if witness else ' without a witness'}")
    gateways = {found[1] for *_, text in lines if (found := GATEWAY.search(text))}
    if len(gateways) > 1:
        raise NotCovered(f"{len(gateways)} gateways")
    nodes = {name: _Node(index) for index, name in enumerate(names)}
    for t_ms, name, word, text in lines:
        if word in ("alone", "vote-without"):
            raise NotCovered(f"an administrator's or a device's word: {text}")
        node = nodes.get(name)
        if node is None:
            continue
        if (word, text) == ("fault", "power-off"):
            node.crash(t_ms, free=False)
        else:
            node.line(t_ms, word, text)
    events = [event for node in nodes.values() for event in node.events]
    return Run(len(names), sorted(events, key=lambda event: event.t_ms))


def _split(event: str) -> tuple[str, str]:
    word, _, text = event.partition(": ")
    return word, text


def faults(run: Run) -> list[str]:
    """Where the times of the events break an invariant."""
    found: list[str] = []
    owned: list[tuple[float, float, int, int]] = []
    for node in range(run.nodes):
        events = run.of(node)
        for at, event in enumerate(events):
            if event.kind != "GRANT":
                continue
            end = next((later for later in events[at + 1:]
                        if later.kind in ("END", "HAND", "CRASH")), None)
            # Where nobody knows the end there is no time together.
            until = float("inf") if end is None else event.t_ms if end.free else end.t_ms
            owned.append((event.t_ms, until, node, event.epoch))
    owned.sort()
    for before, after in zip(owned, owned[1:]):
        if after[3] <= before[3]:
            found.append(f"epoch {name_of(after[3])} is granted after {name_of(before[3])}")
    for at, (_, until, node, epoch) in enumerate(owned):
        for start, later_until, other, higher in owned[at + 1:]:
            together = min(until, later_until) - start
            if other != node and together > SLACK_MS:
                found.append(f"epochs {name_of(epoch)} and {name_of(higher)} have two owners for "
                             f"{together:.0f} ms")
    return found


def header(run: Run) -> str:
    """trace.h: the steps that these events are may be taken in their order alone."""
    events = [run.of(node) for node in range(pan.BOUNDS["NODES"])]  # type: ignore[arg-type]
    ticks = _ticks(run)
    highest = max((event.epoch // 4 for event in run.events), default=0)
    granted = {event.epoch // 4 for event in run.events if event.kind == "GRANT"}
    unknown = [number for number in range(1, highest) if number not in granted]
    kinds = ("GRANT", "DRAIN", "HAND", "END", "CRASH", "START")
    return "\n".join([
        "byte at[3]; /* How many events of each node have happened. */",
        "short now; /* In ticks. */",
        *(f"#define IS_{kind} {number}" for number, kind in enumerate(kinds)),
        _chain("KIND", ([f"IS_{event.kind}" for event in own] for own in events), "99"),
        _chain("OF", ([str(event.epoch) for event in own] for own in events), "0"),
        _chain("READY", ([_ready(run, event, ticks[id(event)]) for event in own]
                         for own in events), "false"),
        _chain("LATEST", ([str(ticks[id(event)] + 1) for event in own] for own in events),
               str(max(ticks.values(), default=0) + 1)),
        # What a node may claim: what it is granted next, as it was, or what nobody was granted.
        _chain("WANTED", (_wanted(own, asked=False) for own in events), "0"),
        _chain("ASKED", (_wanted(own, asked=True) for own in events), "0"),
        f"#define MISSING(e) ({' || '.join(f'NUMBER(e) == {number}' for number in unknown)})"
        if unknown else "#define MISSING(e) false",
        "#define MAY_CLAIM(n, e) ((e) == WANTED(n) || MISSING(e))",
        "#define MAY_STAND_IN(n, e) ((e) == ASKED(n))",
        *(f"#define MAY_{kind}(n, e) (KIND(n) == IS_{kind} && READY(n) && "
          f"((e) == 0 || (e) == OF(n)))" for kind in kinds),
        "#define MAY(what, n, e) MAY_##what(n, e)",
        "#define DID(n) at[n]++;",
        # No tick leaves an event behind.
        "#define MAY_PASS now < LATEST(0) && now < LATEST(1) && now < LATEST(2) -> now++",
        "#define END_OF_TRACE :: d_step { "
        + " && ".join(f"at[{node}] == {len(own)}" for node, own in enumerate(events))
        + " -> assert(at[0] != at[0]) }",
        ""])


def _chain(name: str, values: Iterable[list[str]], otherwise: str) -> str:
    """A macro of a node: the value of that one's next event."""
    nodes = []
    for node, own in enumerate(values):
        text = otherwise
        for at in range(len(own) - 1, -1, -1):
            text = f"(at[{node}] == {at} -> {own[at]} : {text})"
        nodes.append(text)
    return f"#define {name}(n) ((n) == 0 -> {nodes[0]} : ((n) == 1 -> {nodes[1]} : {nodes[2]}))"


def _ticks(run: Run) -> dict[int, int]:
    """The tick of each event, by its id(); long times without any are made shorter."""
    ticks: dict[int, int] = {}
    tick, before = 0, 0.0
    for event in run.events:
        passed = int(event.t_ms // TICK_MS) - int(before // TICK_MS)
        tick, before = tick + min(passed, QUIET_TICKS), event.t_ms
        ticks[id(event)] = tick
    return ticks


def _ready(run: Run, event: Event, tick: int) -> str:
    """What was so long before has happened, and its tick is the right one or a neighbour of it."""
    if event.free:
        return "true"
    counts = {node: sum(other.t_ms < event.t_ms - SLACK_MS for other in run.of(node))
              for node in range(pan.BOUNDS["NODES"])  # type: ignore[arg-type]
              if node != event.node}
    terms = [f"at[{node}] >= {count}" for node, count in counts.items() if count]
    return "(" + " && ".join([f"now >= {tick - 1}", *terms]) + ")"


def _wanted(own: list[Event], asked: bool) -> list[str]:
    wanted = []
    for at in range(len(own)):
        later = next((event for event in own[at:] if event.kind == "GRANT"), None)
        wanted.append(str(later.epoch if later and later.asked == asked else 0))
    return wanted


@dataclass(frozen=True)
class Search:
    accepted: bool
    states: int
    text: str


def search(run: Run, build: Path, seconds: float) -> Search:
    found = _search(run, build, seconds)
    if found.broken == pan.TRACE_ENDS:
        return Search(True, found.states, "accepted")
    if found.broken:
        return Search(False, found.states, found.result)
    # The first event with which they are refused.
    accepted, refused = 0, len(run.events)
    while refused - accepted > 1:
        tried = (accepted + refused) // 2
        if _search(Run(run.nodes, run.events[:tried]), build, seconds).broken:
            accepted = tried
        else:
            refused = tried
    event = run.events[refused - 1]
    return Search(False, found.states, f"refused at {event.t_ms:.0f} ms: node {event.node + 1} "
                  f"{event.kind} {name_of(event.epoch)}")


def _search(run: Run, build: Path, seconds: float) -> pan.Outcome:
    build.mkdir(parents=True, exist_ok=True)
    (build / "trace.h").write_text(header(run), encoding="utf-8")
    options: dict[str, object] = {"TRACE": 1, "CLAIMS": 250, "STAND_INS": 250, "MOVES": 250,
                                  "CRASHES": 250}
    if run.nodes == 2:
        options["WITNESS"] = 1
    return pan.run(build, pan.SPECIFICATION.read_text(encoding="utf-8"), options, seconds)
