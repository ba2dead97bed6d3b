# SPDX-License-Identifier: GPL-2.0-or-later
"""What every failover promises to a client, as expectations that scenarios share."""
from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Iterable

from ..evidence.expectation import at_least, at_most, equals, is_empty, is_true
from ..evidence.measure import Measured
from ..evidence.result import ClientResult
from ..product.dialler import IKEV2, L2TP, L2TP_IPSEC, PPTP, PPTP_CLEAR, WIREGUARD
from ..product.probes import PING_INTERVAL_S
from .run import Run

PINGS_PER_S = 40
# The longest silence after a power cut that README.md promises; the goal for the median is 350 ms.
POWER_CUT_MS = 600
# The same of any failure where a standby stands in. Pacemaker alone would take 1.4 s at least.
TAKEOVER_MS = 1000
# The same of PPTP. A resumed call sends nothing before its new numbers have gone round the group,
# whose ring takes 1.4 s to form; pptp-linux holds what follows a gap in the numbers for 0.3 s.
PPTP_MS = 2500
# The same where nobody stands in: Corosync, Pacemaker and fencing decide who serves. On a host with
# nothing else to do it is 1.4 s, and 2.1 to 2.4 s when the dead node was the coordinator.
WAITING_MS = 2500
# The same of two nodes, where the survivor waits for a fencing that its own node is not to win.
PAIR_MS = 4000
# The same when vpnhad reports the failure to Pacemaker: 0.7 to 1.2 s on a host with nothing else to
# do (the goal is 1.5 s). Unreported, it would be the failure timeout of 15 s and more.
REPORTED_MS = 2500
# The same of a planned move, whose successor claims the lease of a node that lives. It is 15 to
# 85 ms on a host with nothing else to do.
PLANNED_MS = 100.0
# Two nodes may speak for so long where the promoted one was paused: the rest of its lease.
LEASE_MS = 300
# A gap that nobody notices, whatever the gaps of a fault-free time are.
UNNOTICED_MS = 50.0
# The same where another node starts programs: they take up to 92 ms of a core that nodes share
# (lab/README.md).
STARTED_MS = 150.0
# A fault-free time with longer gaps, or a client that asks nothing for so long, shows nothing of a
# fault: the machine was too busy.
FAULT_FREE_MS = 250.0
# What a protocol hides from every observer, or does not have: nobody can count it.
NOT_OF = {IKEV2: ("l2tp_setups", "ppp_renegotiations", "ccp_exchanges", "auth_exchanges"),
          WIREGUARD: ("ike_exchanges", "l2tp_setups", "pptp_setups", "ppp_renegotiations",
                      "ccp_exchanges", "auth_exchanges")}
# What a client whose session continues does not do.
NEW_SESSION = ("ike_exchanges", "l2tp_setups", "pptp_setups", "ppp_renegotiations",
               "ccp_exchanges", "auth_exchanges", "interface_changes")
# The protocols in which an invariant is observed.
INVARIANTS_OF = {"l2tp_ns_reused": (L2TP,), "l2tp_ns_led": (L2TP,),
                 "esp_seq_reused": (L2TP_IPSEC, IKEV2), "replays_accepted": (L2TP_IPSEC, IKEV2),
                 "cleartext_l2tp": (L2TP_IPSEC,),
                 "gre_seq_reused": (PPTP, PPTP_CLEAR), "mppe_index_reused": (PPTP,)}
# Start and end of an observation, in seconds of the host's time.
Span = tuple[float, float]


def worst_gap_ms(seen: ClientResult, span: Span) -> float | None:
    """The longest time without an answer that touches the span, from the first probe of it on: a
    client that had no turn to ask was not kept waiting. None without answers on both sides. What
    was never answered again is no gap: it counts as lost."""
    start, end = span
    asked = [*sorted(sent for sent, _ in seen.series.pings), math.inf]
    answers = sorted(sent + rtt for sent, rtt in seen.series.pings if rtt is not None)
    waits = [max(0.0, after - asked[bisect.bisect_right(asked, before)])
             for before, after in zip(answers, answers[1:]) if after > start and before < end]
    return round(max(waits) * 1000.0, 3) if waits else None


def worst_pause_ms(seen: ClientResult, span: Span,
                   interval_s: float = PING_INTERVAL_S) -> float | None:
    """The longest time in the span in which the client did not ask, less the time between two
    probes; None if it asked nothing before or after it."""
    return gap_ms(worst_gap((sent for sent, _ in seen.series.pings), span), interval_s)


def worst_gap(events: Iterable[float], span: Span) -> Span | None:
    """The longest time between two events that touches the span."""
    start, end = span
    times = sorted(events)
    gaps = [(before, after) for before, after in zip(times, times[1:])
            if after > start and before < end]
    return max(gaps, key=lambda gap: gap[1] - gap[0]) if gaps else None


def gap_ms(gap: Span | None, interval_s: float = PING_INTERVAL_S) -> float | None:
    """How long it was, less the time between two probes."""
    return None if gap is None else round(max(0.0, gap[1] - gap[0] - interval_s) * 1000.0, 3)


def expect_unnoticed(run: Run, seen: ClientResult, before: Span, during: Span) -> None:
    """What happened in the second span was nothing to the client."""
    expect_no_gap(run, seen, before, during)
    expect_nothing_else(run, seen)


def expect_planned_move(run: Run, seen: ClientResult, calm: Span, moved: Span,
                        longest_ms: float = PLANNED_MS) -> None:
    """The role moved between two living nodes in the second span: a short silence, and nothing
    else."""
    expect_no_gap(run, seen, calm, moved, longest_ms)
    expect_nothing_else(run, seen)


def expect_no_gap(run: Run, seen: ClientResult, before: Span, during: Span,
                  longest_ms: float = UNNOTICED_MS) -> None:
    """In the second span no gap longer than that, or twice the longest of the first span, which
    was free of faults; and the client asked all the time. A host too busy to let the client ask
    does not let its gateway answer either: the limit grows by the client's longest pause."""
    fault_free = worst_gap_ms(seen, before)
    pause = worst_pause_ms(seen, during)
    limit = max(longest_ms, 2 * (fault_free or 0)) + min(pause or 0, FAULT_FREE_MS)
    run.expect(f"{seen.name}_fault_free_gap_ms", fault_free, at_most(FAULT_FREE_MS))
    run.expect(f"{seen.name}_gap_ms", worst_gap_ms(seen, during), at_most(round(limit, 3)))
    run.expect(f"{seen.name}_pause_ms", pause, at_most(FAULT_FREE_MS))


def expect_only_silence(run: Run, seen: ClientResult, outage_ms: float) -> None:
    """A silence of at most so long, and nothing else. What is a limit of takeovers is PPTP_MS for a
    client of PPTP."""
    if seen.protocol in (PPTP, PPTP_CLEAR) and outage_ms in (POWER_CUT_MS, TAKEOVER_MS):
        outage_ms = PPTP_MS
    # Without a fault there is no outage; then the longest gap of the whole run counts.
    silence_ms = seen.baseline_gap_ms if seen.outage_ms is None else seen.outage_ms
    run.expect(f"{seen.name}_outage_ms", silence_ms, at_most(outage_ms))
    expect_nothing_else(run, seen)


def expect_nothing_else(run: Run, seen: ClientResult, ike_exchanges: int = 0) -> None:
    """The session is the same, and the client had nothing to do with it. `ike_exchanges`: those
    that another program of its host made."""
    def expect(name: str, observed: object, expected: object) -> None:
        run.expect(f"{seen.name}_{name}", observed, expected)  # type: ignore[arg-type]

    for name in (*NEW_SESSION, "tcp_resets"):
        if name not in NOT_OF.get(seen.protocol, ()):
            others = ike_exchanges if name == "ike_exchanges" else 0
            expect(name, getattr(seen, name), equals(others))
    expect("tcp_intact", seen.tcp_intact, is_true())
    # Fewer probes would make a short silence out of a long one.
    expect("pings_sent", seen.pings_sent, at_least(PINGS_PER_S))


def expect_silent_standbys(run: Run, seen: Measured, accepts: Collection[str] = ()) -> None:
    """One owner at a time, and not one frame from a gateway's address by anybody else."""
    run.expect("vip_owners_max", seen.vip.owners_max, equals(1))
    run.expect("vip_overlap_ms", seen.vip.overlap_ms, equals(0))
    run.expect("standby_frames", [str(frame) for frame in seen.standby_frames], is_empty())
    expect_invariants(run, seen, accepts)


def expect_one_lease(run: Run, seen: Measured) -> None:
    """The promoted node was paused, and continued when another one served: two owners for no longer
    than a lease, and no number was used twice."""
    run.expect("vip_overlap_ms", seen.vip.overlap_ms, at_most(LEASE_MS))
    expect_invariants(run, seen)


def expect_invariants(run: Run, seen: Measured, accepts: Collection[str] = ()) -> None:
    """Each where it can be observed: where a client's protocol has it. An accepted one has to be
    observed."""
    protocols = {client.protocol for client in seen.clients}
    for name, of in INVARIANTS_OF.items():
        if not protocols.isdisjoint(of):
            run.expect(name, getattr(seen.invariants, name),
                       at_least(0) if name in accepts else equals(0))
