# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run found: result.json for machines, series.json for the report.

The dataclasses are the vocabulary, lab/result.schema.json is the contract; a test holds the two
together. Analyses speak in seconds since the epoch (the host's clock); only here they become
milliseconds since the run began, so that files of different runs can be laid side by side.
"""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

RESULT_FILE = "result.json"
SERIES_FILE = "series.json"
SERIES_VERSION = 1
SCHEMA_PATH = Path(__file__).resolve().parents[2] / "result.schema.json"

# Kinds of events that a phase of the outage ends with, in the order in which they happen.
PHASE_EVENTS = {
    "detected": "membership-lost",
    "fenced": "fence-confirmed",
    "promoted": "promoted",
    "open": "gate-open",
    "first_packet": "first-frame",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a node; `t` is seconds since the epoch."""

    t: float
    node: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """From `t` on, `node` is the one that speaks for the gateway's addresses."""

    t: float
    node: str


@dataclass(slots=True)
class ClientSeries:
    """What is drawn of one client; all times in seconds since the epoch."""

    pings: list[tuple[float, float | None]] = field(default_factory=list)
    tcp_echoed: list[tuple[float, int]] = field(default_factory=list)
    outage: tuple[float, float] | None = None
    answered_again: bool = True


@dataclass(slots=True)
class Expectation:
    name: str
    expected: Any
    observed: Any
    ok: bool


@dataclass(slots=True)
class Fault:
    t_ms: float
    kind: str
    node: str


@dataclass(slots=True)
class ServedBy:
    t_ms: float
    node: str


@dataclass(slots=True)
class ClientResult:
    """One client's view. None: not observed (no capture, or encrypted where it was taken)."""

    name: str
    protocol: str
    outage_ms: float | None = None
    baseline_gap_ms: float | None = None
    pings_sent: int | None = None
    pings_lost: int | None = None
    tcp_bytes_sent: int | None = None
    tcp_bytes_echoed: int | None = None
    tcp_intact: bool | None = None
    tcp_resets: int | None = None
    ppp_renegotiations: int | None = None
    auth_exchanges: int | None = None
    l2tp_setups: int | None = None
    pptp_setups: int | None = None
    ccp_exchanges: int | None = None
    ike_exchanges: int | None = None
    interface_changes: int | None = None
    series: ClientSeries = field(default_factory=ClientSeries, metadata={"json": False})
    notes: list[Event] = field(default_factory=list, metadata={"json": False})


@dataclass(slots=True)
class Vip:
    owners_max: int | None = None
    overlap_ms: float | None = None


@dataclass(slots=True)
class Phases:
    detected: float | None = None
    fenced: float | None = None
    promoted: float | None = None
    open: float | None = None
    first_packet: float | None = None


@dataclass(slots=True)
class Invariants:
    esp_seq_reused: int | None = None
    gre_seq_reused: int | None = None
    mppe_index_reused: int | None = None
    l2tp_ns_reused: int | None = None
    l2tp_ns_led: int | None = None
    replays_accepted: int | None = None
    cleartext_l2tp: int | None = None


@dataclass(slots=True)
class Leftover:
    node: str
    what: str


@dataclass(slots=True)
class TimelineEntry:
    t_ms: float
    node: str
    event: str


@dataclass(slots=True)
class Result:
    scenario: str
    ok: bool
    seed: int
    expectations: list[Expectation] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    served_by: list[ServedBy] = field(default_factory=list)
    clients: list[ClientResult] = field(default_factory=list)
    vip: Vip = field(default_factory=Vip)
    phases_ms: Phases = field(default_factory=Phases)
    invariants: Invariants = field(default_factory=Invariants)
    leftovers: list[Leftover] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return _plain(self)

    def write(self, out_dir: Path) -> list[str]:
        """Writes result.json and returns what is wrong with it ([]: it keeps to the schema)."""
        data = self.to_dict()
        _write_json(out_dir / RESULT_FILE, data)
        return validate(data)


def json_fields(kind: type) -> list[str]:
    return [f.name for f in dataclasses.fields(kind) if f.metadata.get("json", True)]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in json_fields(type(value))}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3)
    return value


def _write_json(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@lru_cache(maxsize=1)
def _validator() -> Any:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def validate(data: dict[str, Any]) -> list[str]:
    """Returns what is wrong with a result, one sentence each; an empty list means nothing is."""
    problems = []
    for error in sorted(_validator().iter_errors(data), key=lambda e: list(map(str, e.path))):
        where = "/".join(str(part) for part in error.path) or "result"
        problems.append(f"{where}: {error.message}")
    if problems:
        return problems
    failed = [e["name"] for e in data["expectations"] if not e["ok"]]
    if data["ok"] and failed:
        problems.append(f"ok is true, but these expectations failed: {', '.join(failed)}")
    names = [client["name"] for client in data["clients"]]
    if len(names) != len(set(names)):
        problems.append("clients: two have the same name")
    for key in ("served_by", "timeline", "faults"):
        times = [entry["t_ms"] for entry in data[key]]
        if times != sorted(times):
            problems.append(f"{key}: not in the order of time")
    for index, client in enumerate(data["clients"]):
        sent, lost = client["pings_sent"], client["pings_lost"]
        if sent is not None and lost is not None and lost > sent:
            problems.append(f"clients/{index}: more pings lost than sent")
    return problems


def to_ms(t: float, t0: float) -> float:
    return round((t - t0) * 1000.0, 3)


def served_by(changes: Iterable[OwnerChange], t0: float) -> list[ServedBy]:
    return [ServedBy(to_ms(change.t, t0), change.node) for change in changes]


def timeline(events: Iterable[Event], t0: float) -> list[TimelineEntry]:
    return [TimelineEntry(to_ms(e.t, t0), e.node, f"{e.kind}: {e.text}")
            for e in sorted(events, key=lambda e: e.t)]


def phases_ms(events: Iterable[Event], t_fault: float, t_until: float | None = None) -> Phases:
    """When each step of the takeover was first seen, in ms after the fault.

    `t_until` ends the search, for runs with several faults: a step after the next fault belongs
    to that one.
    """
    ordered = [e for e in sorted(events, key=lambda e: e.t)
               if e.t >= t_fault and (t_until is None or e.t < t_until)]
    phases = Phases()
    for phase, kind in PHASE_EVENTS.items():
        first = next((e for e in ordered if e.kind == kind), None)
        if first is not None:
            setattr(phases, phase, to_ms(first.t, t_fault))
    return phases


def write_series(out_dir: Path, clients: Sequence[ClientResult], *, t0: float, t_end: float,
                 events: Iterable[Event] = (), owners: Iterable[OwnerChange] = (),
                 faults: Iterable[Fault] = ()) -> Path:
    """Stores what the report draws, beside result.json; times are ms since `t0`."""

    def ms(t: float) -> float:
        return to_ms(t, t0)

    data = {
        "version": SERIES_VERSION,
        "t0_epoch_s": t0,
        "t_end_ms": ms(t_end),
        "faults": _plain(list(faults)),
        "served_by": _plain(served_by(owners, t0)),
        "events": [{"t_ms": ms(e.t), "node": e.node, "kind": e.kind, "text": e.text}
                   for e in sorted(events, key=lambda e: e.t)],
        "clients": [{
            "name": client.name,
            "protocol": client.protocol,
            "pings": [[ms(t), None if rtt is None else round(rtt * 1000.0, 3)]
                      for t, rtt in client.series.pings],
            "tcp_echoed": [[ms(t), count] for t, count in client.series.tcp_echoed],
            "outage": [ms(t) for t in client.series.outage] if client.series.outage else None,
            "answered_again": client.series.answered_again,
        } for client in clients],
    }
    path = out_dir / SERIES_FILE
    _write_json(path, data)
    return path
