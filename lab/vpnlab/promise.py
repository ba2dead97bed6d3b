# SPDX-License-Identifier: GPL-2.0-or-later
"""What every failover promises to a client, as expectations that scenarios share."""
from __future__ import annotations

from .expectation import at_least, at_most, equals, is_empty, is_true
from .measure import Measured
from .result import ClientResult
from .run import Run

PINGS_PER_S = 40


def expect_only_silence(run: Run, seen: ClientResult, outage_ms: float) -> None:
    """A silence of at most so long, and nothing else."""
    def expect(name: str, observed: object, expected: object) -> None:
        run.expect(f"{seen.name}_{name}", observed, expected)  # type: ignore[arg-type]

    # Without a fault there is no outage; then the longest gap of the whole run counts.
    silence_ms = seen.baseline_gap_ms if seen.outage_ms is None else seen.outage_ms
    expect("outage_ms", silence_ms, at_most(outage_ms))
    for name in ("ppp_renegotiations", "auth_exchanges", "l2tp_setups", "tcp_resets",
                 "interface_changes"):
        expect(name, getattr(seen, name), equals(0))
    expect("tcp_intact", seen.tcp_intact, is_true())
    # Fewer probes would make a short silence out of a long one.
    expect("pings_sent", seen.pings_sent, at_least(PINGS_PER_S))


def expect_silent_standbys(run: Run, seen: Measured) -> None:
    """One owner at a time, and not one frame from a gateway's address by anybody else."""
    run.expect("vip_owners_max", seen.vip.owners_max, equals(1))
    run.expect("vip_overlap_ms", seen.vip.overlap_ms, equals(0))
    run.expect("standby_frames", [str(frame) for frame in seen.standby_frames], is_empty())
    run.expect("l2tp_ns_reused", seen.invariants.l2tp_ns_reused, equals(0))
