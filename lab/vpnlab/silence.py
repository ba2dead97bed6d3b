# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway without a majority is silent until a voter is back: when that one may have voted."""
from __future__ import annotations

from datetime import datetime

from .expectation import Expected, between

# Of the protocol: L_max with the clocks' bound, as long as a vpnhad answers nobody after its start.
ABSTENTION_S = 0.65
# vpnhad writes its start into the log a moment after it has begun to count.
STARTED_EARLIER_S = 0.05


def back_after_abstention(limit_s: float) -> Expected:
    """Not before it is over either: what was promised before the start may still hold."""
    return between(-STARTED_EARLIER_S, limit_s)


def started_s(log: str) -> float:
    """When vpnhad began, by its log."""
    line = next(line for line in log.splitlines() if "event=started" in line)
    return datetime.fromisoformat(line.split()[0]).timestamp()
