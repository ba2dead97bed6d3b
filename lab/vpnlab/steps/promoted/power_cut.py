# SPDX-License-Identifier: GPL-2.0-or-later
"""The power cuts of L2TP: they differ in where the role begins and in who decides."""
from __future__ import annotations

from ...evidence.expectation import at_least
from ..live import Place, begin
from ..promise import POWER_CUT_MS, WAITING_MS, expect_only_silence
from ..run import Run

AFTERWARDS_S = 5


def cut_power_under_traffic(run: Run, place: Place, waiting: bool = False) -> None:
    """`waiting`: the standbys wait for Pacemaker."""
    waiting = waiting or run.waiting
    live = begin(run, place=place, observe_s=3, waiting=waiting)
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"), WAITING_MS if waiting else POWER_CUT_MS)
