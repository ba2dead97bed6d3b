# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the captures of a run against what a client and a neighbour may rely on."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dpkt

from .numbers import Numbers, session_of
from .owners import Owners
from .packets import WIRE, Packet, captures, in_order
from .violations import KINDS, Violation

HISTORY_FILE = "history.json"
# Nobody reads more, and a loop of two owners has millions.
VIOLATIONS_MAX = 1000


@dataclass
class History:
    """What the captures of a run show. `seen`: by vantage, how much of each kind there was: a check
    that has seen nothing has found nothing. `problems`: captures that could not be read."""

    folder: Path
    t0: float = 0.0
    until: float = 0.0
    seen: dict[str, dict[str, int]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    not_named: int = 0
    problems: list[str] = field(default_factory=list)

    def against(self, allowed: Mapping[str, str]) -> list[str]:
        """The violations that nobody allows, as text, and what could not be checked."""
        return [*(each.text(self.t0) for each in self.violations if each.kind not in allowed),
                *([f"{self.not_named} more"] if self.not_named else []), *self.problems]

    @property
    def kinds(self) -> list[str]:
        return sorted({each.kind for each in self.violations})

    def lines(self) -> Iterable[str]:
        """For people: what was seen, then each violation."""
        yield f"{self.folder}: {self.until - self.t0:.1f} s"
        yield from self.seen_lines()
        for text in self.against({}):
            yield f"VIOLATION {text}"

    def seen_lines(self) -> Iterable[str]:
        for vantage, counts in self.seen.items():
            yield f"history seen at {vantage}: " + ", ".join(
                f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)

    def write(self, path: Path) -> None:
        data: dict[str, Any] = {
            "t0_epoch_s": self.t0, "seconds": round(self.until - self.t0, 3), "seen": self.seen,
            "violations": [each.to_dict() for each in self.violations],
            "not_named": self.not_named, "problems": self.problems}
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    def _found(self, violation: Violation) -> None:
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(violation)
        else:
            self.not_named += 1


class _Vantage:
    def __init__(self, name: str, history: History) -> None:
        self.owners = Owners(name, history._found)
        self.numbers = Numbers(name, history._found)


def check(folder: Path) -> History:
    """Reads each capture once, all of them side by side."""
    history = History(folder)
    found = captures(folder)
    vantages = {name: _Vantage(name, history)
                for name in dict.fromkeys(each.vantage for each in found)}
    try:
        for packet in in_order(found):
            history.t0 = history.t0 or packet.place.t
            history.until = packet.place.t
            _take(vantages, packet)
    except (OSError, ValueError, dpkt.Error) as error:
        history.problems.append(f"a capture cannot be read: {error}")
    for vantage in vantages.values():
        vantage.owners.finish()
    for name, vantage in vantages.items():
        history.seen[name] = {
            "frames": sum(each.frames for each in found if each.vantage == name),
            **vantage.owners.seen(), **vantage.numbers.seen()}
    history.violations.sort(key=lambda violation: violation.t)
    return history


def _take(vantages: Mapping[str, _Vantage], packet: Packet) -> None:
    own = vantages[packet.vantage]
    if not packet.vip:
        own.numbers.answered(packet)
        if WIRE in vantages:
            vantages[WIRE].numbers.answered(packet)
        return
    own.owners.take(packet, session_of(packet.frame.ip))
    own.numbers.take(packet)


def unknown(kinds: Iterable[str]) -> list[str]:
    """Those that no violation has."""
    return sorted(set(kinds) - KINDS.keys())
