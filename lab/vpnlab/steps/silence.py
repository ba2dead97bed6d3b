# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway without a majority is silent until a voter is back: when that one may have voted."""
from __future__ import annotations

from ..evidence.expectation import Expected, between
from ..host.node import Node
from ..product.vpnha_stack import DAEMON
from .run import Run

# Of the protocol: L_max with the clocks' bound, as long as a vpnhad answers nobody after its start.
ABSTENTION_S = 0.65
# In which the kernel counts the start of a process.
TICKS_PER_S = 100
CLOCK_S = 2 / TICKS_PER_S


def since_abstention_s(run: Run, voter: Node, t: float) -> float:
    """How long before the host's time `t` the abstention of that node's vpnhad can have ended at
    the earliest. vpnhad counts it from a moment after its process began, and reports that it runs a
    good while later: it puts the gate on all devices first."""
    pid = voter.process(DAEMON)
    stat = voter.read(f"/proc/{pid}/stat") or ""
    now = run.lab.now()
    uptime_s = float((voter.read("/proc/uptime") or "").split()[0])
    began_s = int(stat.rpartition(")")[2].split()[19]) / TICKS_PER_S
    return round(t - (now - uptime_s + began_s) - ABSTENTION_S, 2)


def back_after_abstention(limit_s: float) -> Expected:
    """Not before it is over either: what was promised before the start may still hold."""
    return between(-CLOCK_S, limit_s)
