# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario may demand of a figure, as values that can be printed and checked.

A figure that was not observed (None) meets no expectation: silence is not success.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Expected:
    """A condition and how result.json says it."""

    text: str
    holds: Callable[[Any], bool]

    def met_by(self, observed: Any) -> bool:
        return observed is not None and bool(self.holds(observed))


def at_most(limit: float) -> Expected:
    return Expected(f"<= {limit:g}", lambda observed: observed <= limit)


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
