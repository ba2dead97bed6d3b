# SPDX-License-Identifier: GPL-2.0-or-later
"""The main figures of one run, from its result.json and series.json."""
from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..evidence.measure import REPAIRS
from ..evidence.result import RESULT_FILE, SERIES_FILE, Phases, validate
from ..steps.promise import NEW_SESSION, NOT_OF
from .book import Figures


def read_result(out: Path) -> dict[str, Any] | None:
    """None where a run has left no result, or half of one."""
    try:
        return json.loads((out / RESULT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def failures(result: dict[str, Any], exit_code: int) -> tuple[str, ...]:
    """The names of what failed; none if the run is green."""
    named = [each["name"] for each in result["expectations"] if not each["ok"]]
    named += [f"result.json: {problem}" for problem in validate(result)]
    if exit_code and not named:
        named.append(f"lab/lab run: exit code {exit_code}")
    return tuple(dict.fromkeys(named))


def figures(result: dict[str, Any], out: Path) -> Figures:
    clients = result["clients"]
    return Figures(
        clients=len(clients),
        sessions_kept=_sessions_kept(clients, _unanswered(out)),
        outage_ms=_longest(client["outage_ms"] for client in clients),
        baseline_gap_ms=_longest(client["baseline_gap_ms"] for client in clients),
        faults=sum(not fault["kind"].startswith(REPAIRS) for fault in result["faults"]),
        expectations=len(result["expectations"]),
        owners_max=result["vip"]["owners_max"],
        overlap_ms=result["vip"]["overlap_ms"],
        violations=_sum(result["invariants"].values()),
        leftovers=len(result["leftovers"]),
        phases_ms=Phases(**result["phases_ms"]))


def _unanswered(out: Path) -> set[str]:
    """Clients whose probes had no answer any more at the end."""
    try:
        series = json.loads((out / SERIES_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {client["name"] for client in series["clients"] if not client["answered_again"]}


def _sessions_kept(clients: list[dict[str, Any]], unanswered: set[str]) -> int | None:
    """None unless each client's session was observed."""
    kept = 0
    for client in clients:
        hidden = NOT_OF.get(client["protocol"], ())
        counts = [client[name] for name in NEW_SESSION if name not in hidden]
        if None in counts:
            return None
        kept += not any(counts) and client["name"] not in unanswered
    return kept if clients else None


def _longest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _sum(values: Iterable[int | None]) -> int | None:
    seen = [value for value in values if value is not None]
    return sum(seen) if seen else None
