# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence for the tests of the sweep."""
from __future__ import annotations

from vpnlab.evidence.result import Phases
from vpnlab.sweep.book import Entry, Figures, Kernel


def entry(verdict: str = "green", *, date: str = "2026-10-01T00:00:00Z", commit: str = "c" * 40,
          dirty: bool = False, seconds: float = 60.0, failed: tuple[str, ...] = ()) -> Entry:
    return Entry(commit, dirty, date, verdict, seconds, 7, Kernel("6.1", "6.1.1-1", "user-mode"),
                 Figures(clients=1, sessions_kept=1, outage_ms=1234.5, baseline_gap_ms=12.0,
                         faults=1, expectations=30, owners_max=1, overlap_ms=0.0, violations=0,
                         phases_ms=Phases(first_packet=1200.0)),
                 failed or (("outage_ms",) if verdict == "red" else ()))
