# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenario runs next, and why. Pure: evidence and changed files in, an order out."""
from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from ..host.errors import NotFound
from .areas import MEASUREMENTS, PLAIN_SCENARIOS, areas_changed, areas_of
from .book import RED, Entry, Evidence

# What a scenario takes of which nothing is known, where no other one has run either.
UNKNOWN_S = 60.0
NEVER, FAILED, CHANGED, OLD = range(4)
SHORT = 10
# In which each scenario has to have run; `./check --all` names those that have not.
RECENT_COMMITS = 200


@dataclass(frozen=True)
class Choice:
    """A scenario, why it has its place in the order, and what its last run took."""

    name: str
    reason: str
    seconds: float | None = None


def candidates(scenarios: Iterable[str], area: str | None, measurements: bool) -> list[str]:
    return [name for name in scenarios
            if (measurements or name not in MEASUREMENTS)
            and (area is None or area in areas_of(name))]


def chosen(wanted: Iterable[str], scenarios: Collection[str]) -> list[str]:
    """Those that somebody named, each once."""
    unknown = [name for name in wanted if name not in scenarios]
    if unknown:
        raise NotFound(f"no scenario {', '.join(unknown)}; `lab/lab list` shows them")
    return list(dict.fromkeys(wanted))


def choices(names: Iterable[str], evidence: Evidence,
            changed_since: Callable[[str], Collection[str] | None]) -> list[Choice]:
    """Never run; red; of a changed area; the others. Each time the oldest evidence first, and of
    those that never ran the plain tier's."""
    ranked = []
    for name in names:
        entry = evidence.get(name)
        rank, reason = _rank(name, entry, changed_since)
        place = (rank, entry.date if entry else "", name not in PLAIN_SCENARIOS, name)
        ranked.append((place, Choice(name, reason, entry.seconds if entry else None)))
    return [choice for _, choice in sorted(ranked, key=lambda each: each[0])]


def _rank(name: str, entry: Entry | None,
          changed_since: Callable[[str], Collection[str] | None]) -> tuple[int, str]:
    if entry is None:
        return NEVER, "never run"
    if entry.verdict == RED:
        return FAILED, "red last time"
    paths = changed_since(entry.commit)
    if paths is None:
        return CHANGED, f"no commit {entry.commit[:SHORT]} here"
    if any(path.startswith("lab/scenarios/") and path.endswith(f"/{name}.py") for path in paths):
        return CHANGED, "its file changed"
    areas = areas_changed(paths)
    changed = [area for area in areas_of(name) if area in areas]
    if changed:
        return CHANGED, f"changed: {', '.join(changed)}"
    if entry.dirty:
        return CHANGED, "the tree was dirty"
    return OLD, f"evidence of {entry.date[:10]}"


def not_shown(names: Iterable[str], evidence: Evidence, recent: Collection[str]) -> list[str]:
    """Those whose evidence is of none of these commits."""
    return [name for name in names
            if name not in evidence or evidence[name].commit not in recent]


def next_fitting(order: Sequence[Choice], left_s: float) -> tuple[Choice | None, list[Choice]]:
    """The first one that is not known to take longer than what is left, and those before it."""
    passed_over: list[Choice] = []
    for choice in order:
        if choice.seconds is None or choice.seconds <= left_s:
            return choice, passed_over
        passed_over.append(choice)
    return None, passed_over


def forecast(order: Sequence[Choice], seconds: float) -> list[Choice]:
    """Those that would run in so much time, if each takes as long as last time. One that never ran
    counts as the median of the others."""
    known = [choice.seconds for choice in order if choice.seconds is not None]
    usual = statistics.median(known) if known else UNKNOWN_S
    fitting, rest, left_s = [], list(order), seconds
    while left_s > 0:
        choice, passed_over = next_fitting(rest, left_s)
        if choice is None:
            break
        fitting.append(choice)
        rest = rest[len(passed_over) + 1:]
        left_s -= usual if choice.seconds is None else choice.seconds
    return fitting
