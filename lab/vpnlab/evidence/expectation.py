# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario may demand of a figure, as values that can be printed and checked.

A figure that was not observed (None) meets no expectation: silence is not success.
"""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any


# How figures of time end; of several attempts each figure has its number behind.
TIME = re.compile(r"_(ms|s)(_\d+)?$")
# How long an address has two owners.
SAFETY = ("vip_overlap_ms",)


@dataclasses.dataclass(frozen=True)
class Expected:
    """A condition and how result.json has it."""

    text: str
    holds: Callable[[Any], bool]
    # Of at_most().
    limit: float | None = None

    def met_by(self, observed: Any) -> bool:
        return observed is not None and bool(self.holds(observed))


def at_most(limit: float) -> Expected:
    return Expected(f"<= {limit:g}", lambda observed: observed <= limit, limit)


def on_slow_nodes(name: str, expected: Expected, patience: float) -> Expected:
    """The same, or a limit of a time that is so many times as long: a node that is emulated shows
    what happens and in which order, not how fast. What no node may do meanwhile is not a matter of
    its speed."""
    if expected.limit is None or patience == 1 or not TIME.search(name) or name in SAFETY:
        return expected
    longer = at_most(expected.limit * patience)
    return dataclasses.replace(longer, text=f"{longer.text}; {expected.text} unless emulated")


def at_least(limit: float) -> Expected:
    return Expected(f">= {limit:g}", lambda observed: observed >= limit)


def between(low: float, high: float) -> Expected:
    return Expected(f"{low:g} .. {high:g}", lambda observed: low <= observed <= high)


def equals(value: Any) -> Expected:
    # True == 1 in Python; a count must not pass for a truth.
    return Expected(f"== {value}", lambda observed: observed == value
                    and isinstance(observed, bool) == isinstance(value, bool))


def is_true() -> Expected:
    return equals(True)


def is_empty() -> Expected:
    return Expected("empty", lambda observed: len(observed) == 0)
