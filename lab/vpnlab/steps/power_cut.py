# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenario that l2tp-power-cut and l2tp-power-cut-dc are, but for where the role begins."""
from __future__ import annotations

from ..evidence.expectation import at_least
from . import acting
from .live import Place, begin
from .promise import TAKEOVER_MS, expect_only_silence
from .run import Run

AFTERWARDS_S = 5


def cut_power_under_traffic(run: Run, place: Place, stand_in: bool = False) -> None:
    live = begin(run, place=place, observe_s=3, stand_in=stand_in)
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"),
                        acting.OUTAGE_MS if stand_in or run.stand_in else TAKEOVER_MS)
