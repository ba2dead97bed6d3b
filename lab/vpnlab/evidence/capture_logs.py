# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines of the cluster become events on the run's time axis.

Read are corosync's log file, pacemaker's detail log (Debian 12's formats) and vpnhad's, and, for
what encryption hides from a capture, the client's pppd and xl2tpd. Lines that have nothing about a
takeover are skipped; a line that cannot be read is skipped too, a run must not fail for it.
"""
from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .result import Event

# "Nov 20 09:34:01.123 ", of corosync and pacemaker: no year, the node's local time.
SYSLOG_TIME = re.compile(r"^([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(\.\d+)?\s")
ISO_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?\s")
VPNHAD_LINE = re.compile(r"^\S+\s+vpnhad\[\d+\]:\s+(\w+):\s+(.*)$")
VPNHAD_EVENT = re.compile(r"\bevent=([\w-]+)")


@dataclass(frozen=True)
class _Rule:
    """A line that matches `pattern` is an event of this kind; `text` may use its groups."""

    kind: str
    pattern: re.Pattern[str]
    text: str


def _rule(kind: str, pattern: str, text: str) -> _Rule:
    return _Rule(kind, re.compile(pattern), text)


# The first rule that matches a line is the one that counts.
RULES = (
    _rule("token-lost", r"corosync .*A processor failed, forming new configuration",
          "token lost, forming a new ring"),
    _rule("membership-lost",
          r"corosync .*A new membership \([^)]*\) was formed\. Members.*\bleft: ([\d ]+\d|\d)",
          "node {0} left the membership"),
    _rule("membership-joined",
          r"corosync .*A new membership \([^)]*\) was formed\. Members joined: ([\d ]+\d|\d)",
          "node {0} joined the membership"),
    _rule("quorum-lost", r"corosync .*This node is within the non-primary component", "no quorum"),
    _rule("fence-requested",
          r"pacemaker-controld.*Requesting fencing \(\w+\) (?:of|targeting) node ([\w.-]+)",
          "fencing of {0} requested"),
    _rule("fence-confirmed",
          r"pacemaker-fenced.*Operation '\w+' targeting ([\w.-]+) by .*: OK\b",
          "fencing of {0} confirmed"),
    _rule("fence-failed",
          r"pacemaker-fenced.*Operation '\w+' targeting ([\w.-]+) .*: (?:Error|Timed Out|No data)",
          "fencing of {0} failed"),
    _rule("promote-start",
          r"pacemaker-controld.*Requesting local execution of promote operation for (\S+) on",
          "promote of {0} called"),
    _rule("promote-done",
          r"pacemaker-controld.*Result of promote operation for (\S+) on [\w.-]+: ok",
          "promote of {0} done"),
    _rule("promote-failed",
          r"pacemaker-controld.*Result of promote operation for (\S+) on [\w.-]+: "
          r"([^|]+?)(?: \||$)",
          "promote of {0} failed: {1}"),
    _rule("demote-done",
          r"pacemaker-controld.*Result of demote operation for (\S+) on [\w.-]+: ok",
          "demote of {0} done"),
    _rule("dc-elected", r"pacemaker-controld.*State transition S_ELECTION -> S_INTEGRATION",
          "elected as the cluster's coordinator"),
)


def timeline_from_logs(node: str, text: str, *, reference_t: float | None = None,
                       clock_offset_s: float = 0.0) -> list[Event]:
    """Reads one node's log (several files may be joined) into events, in the order of time.

    `reference_t` (default: now) names the time near which the lines were written; it supplies the
    year that two of the formats omit. `clock_offset_s` is added to each stamp.
    """
    reference = time.time() if reference_t is None else reference_t
    events = []
    for line in text.splitlines():
        event = _vpnhad_event(node, line, reference) or _cluster_event(node, line, reference)
        if event is not None:
            events.append(Event(event.t + clock_offset_s, event.node, event.kind, event.text))
    return sorted(events, key=lambda event: event.t)


def _vpnhad_event(node: str, line: str, reference: float) -> Event | None:
    match = VPNHAD_LINE.match(line)
    if match is None:
        return None
    t = line_time(line, reference)
    kind = VPNHAD_EVENT.search(match[2])
    if t is None or kind is None:
        return None
    message = VPNHAD_EVENT.sub("", match[2])
    return Event(t, node, kind[1], " ".join(message.split()) or kind[1])


def _cluster_event(node: str, line: str, reference: float) -> Event | None:
    for rule in RULES:
        match = rule.pattern.search(line)
        if match is not None:
            t = line_time(line, reference)
            return None if t is None else Event(t, node, rule.kind,
                                                rule.text.format(*match.groups()))
    return None


def line_time(line: str, reference: float) -> float | None:
    """The time a log line begins with, in seconds since the epoch; None without one."""
    match = ISO_TIME.match(line)
    if match is not None:
        try:
            zone = (match[3] or "Z").replace("Z", "+0000").replace(":", "")
            whole = datetime.strptime(match[1] + zone, "%Y-%m-%dT%H:%M:%S%z").timestamp()
        except ValueError:
            return None
        return whole + float(match[2] or 0)
    match = SYSLOG_TIME.match(line)
    if match is None:
        return None
    # The year that brings the line nearest to the reference: a run may cross New Year's Eve.
    year = datetime.fromtimestamp(reference, timezone.utc).year
    candidates = []
    for guess in (year - 1, year, year + 1):
        try:
            parsed = time.strptime(f"{guess} {match[1]} {match[2]} {match[3]}",
                                   "%Y %b %d %H:%M:%S")
        except ValueError:
            continue
        candidates.append(time.mktime(parsed) + float(match[4] or 0))
    if not candidates:
        return None
    return min(candidates, key=lambda t: abs(t - reference))


@dataclass(slots=True)
class PppLogCounts:
    configure: int = 0
    auth: int = 0
    ccp: int = 0
    l2tp_setups: int = 0


PPP_LOG_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("configure", re.compile(r"(?:sent|rcvd) \[(?:LCP|IPCP|IPV6CP) ConfReq ")),
    ("auth", re.compile(r"(?:sent|rcvd) \[(?:CHAP Challenge|PAP AuthReq|EAP Request) ")),
    ("ccp", re.compile(r"(?:sent|rcvd) \[CCP (?:ConfReq|ResetReq) ")),
    ("l2tp_setups", re.compile(r"xl2tpd\[\d+\]: Connecting to host ")),
)


def count_ppp_log(paths: Iterable[Path], t_from: float | None) -> PppLogCounts | None:
    """Counts what the client's own daemons logged from `t_from` on.

    Lines without a time of their own are left out when `t_from` is given. None: no line at all
    had a time, so there was nothing to observe.
    """
    counts, observed = PppLogCounts(), False
    for path in paths:
        reference = path.stat().st_mtime
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            t = line_time(line, reference)
            if t is None and t_from is not None:
                continue
            observed = True
            if t is not None and t_from is not None and t < t_from:
                continue
            for name, pattern in PPP_LOG_RULES:
                if pattern.search(line):
                    setattr(counts, name, getattr(counts, name) + 1)
    return counts if observed else None
