# SPDX-License-Identifier: GPL-2.0-or-later
"""One sweep: runs scenarios one after the other until the time is over."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..host.progress import emit
from .book import GREEN, RED
from .order import Choice, next_fitting


@dataclass(frozen=True)
class Outcome:
    """Of one scenario. Without a verdict it did not run to a result; `why` names the reason, or
    what failed."""

    verdict: str | None
    seconds: float
    why: str = ""


@dataclass
class Sum:
    """What a sweep has found so far."""

    green: list[str] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    no_verdict: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    not_begun: int = 0

    def count(self, name: str, outcome: Outcome) -> None:
        lists = {GREEN: self.green, RED: self.red, None: self.no_verdict}
        lists[outcome.verdict].append(name)

    @property
    def failed(self) -> bool:
        return bool(self.red or self.no_verdict)

    def __str__(self) -> str:
        parts = [f"{len(self.green)} green", _named(len(self.red), "red", self.red)]
        if self.no_verdict:
            parts.append(_named(len(self.no_verdict), "without a verdict", self.no_verdict))
        if self.passed_over:
            parts.append(f"{len(self.passed_over)} passed over")
        return ", ".join([*parts, f"{self.not_begun} not begun"])


def _named(count: int, what: str, names: Sequence[str]) -> str:
    return f"{count} {what}" + (f" ({', '.join(names)})" if names else "")


def conduct(order: Sequence[Choice], seconds: float, run_one: Callable[[str], Outcome],
            found: Sum, now: Callable[[], float] = time.monotonic,
            note: Callable[[str], None] = emit) -> None:
    """Begins no scenario after so many seconds, and ends none that has begun. `found` is complete
    up to the last scenario also if this is interrupted."""
    deadline = now() + seconds
    rest = list(order)
    found.not_begun = len(rest)
    while rest and (left_s := deadline - now()) > 0:
        choice, passed_over = next_fitting(rest, left_s)
        for each in passed_over:
            note(f"{each.name}: passed over, it took {each.seconds:.0f} s last time and "
                 f"{left_s:.0f} s are left")
        found.passed_over += [each.name for each in passed_over]
        rest = rest[len(passed_over):]
        found.not_begun = len(rest)
        if choice is None:
            break
        note(f"{choice.name} ({choice.reason}) …")
        outcome = run_one(choice.name)
        rest = rest[1:]
        found.not_begun = len(rest)
        found.count(choice.name, outcome)
        note(f"{choice.name} ({choice.reason}): {outcome.verdict or 'no verdict'}, "
             f"{outcome.seconds:.0f} s" + (f"; {outcome.why}" if outcome.why else ""))
