# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a run's events is worth showing: the turns of a takeover, each once, in plain words."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..host.topology import NODES

# Of no use to a reader: the run's own words, what every start and every promotion brings along,
# and what is drawn or shown elsewhere. All of it stays in result.json.
ROUTINE = frozenset({
    "step", "reached", "fault", "last-answer", "silence-over", "no-answer",
    "started", "attached", "score", "members", "claimed", "gate-open", "promote-done"})
# The same event at several nodes is one, unless it comes this much later.
SAME_MS = 1000.0
FAULT_WORDS = {"power-off": "power cut", "power-on": "power on again", "freeze": "frozen",
               "thaw": "thawed"}

NODE_NUMBERS = re.compile(r"\bnode (\d+(?: \d+)*)")
TAG = re.compile(r"\bgateway=\S+ epoch=\S+ ")
PROMOTED = re.compile(r"\bepoch=(\S+) sessions=(\d+)")


@dataclass(frozen=True)
class Moment:
    """Something that happened, at one node or at several at once."""

    t_ms: float
    nodes: tuple[str, ...]
    kind: str
    text: str


def fault_words(kind: str) -> str:
    return FAULT_WORDS.get(kind, kind)


def kept(series: dict[str, Any]) -> list[Moment]:
    """The events worth showing, in the order of time, until the last probe: what comes after it
    is the end of the run, not of a session."""
    probes = [client["pings"][-1][0] for client in series["clients"] if client["pings"]]
    ends = [client["outage"][1] for client in series["clients"] if client["outage"]]
    until = max(probes + ends, default=series["t_end_ms"])
    return sorted((Moment(event["t_ms"], (event["node"],), event["kind"],
                          plain(event["kind"], event["text"]))
                   for event in series["events"]
                   if event["kind"] not in ROUTINE and event["t_ms"] <= until),
                  key=lambda moment: moment.t_ms)


def merged(moments: Iterable[Moment]) -> list[Moment]:
    """Each event once, with all the nodes that saw it, at the time of the first."""
    found: list[Moment] = []
    for moment in moments:
        index = next((i for i, other in enumerate(found)
                      if (other.kind, other.text) == (moment.kind, moment.text)
                      and moment.t_ms - other.t_ms <= SAME_MS), None)
        if index is None:
            found.append(moment)
        else:
            other = found[index]
            nodes = tuple(sorted({*other.nodes, *moment.nodes}))
            found[index] = Moment(other.t_ms, nodes, other.kind, other.text)
    return found


def plain(kind: str, text: str) -> str:
    """An event's text without what only a log needs."""
    match = PROMOTED.search(text)
    if kind == "promoted" and match:
        count = int(match[2])
        return f"promoted, gate open: epoch {match[1]}, {count} session{'s' * (count != 1)}"
    return NODE_NUMBERS.sub(_names, TAG.sub("", text))


def _names(match: re.Match[str]) -> str:
    """Corosync counts nodes; a reader knows their names."""
    names = {str(node.id): node.name for node in NODES.values()}
    return ", ".join(names.get(number, f"node {number}") for number in match[1].split())
