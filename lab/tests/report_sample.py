# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up runs for the tests of the report: one session that survives, one that dies."""
from __future__ import annotations

import random
from pathlib import Path

from vpnlab.evidence import result
from vpnlab.evidence.result import ClientResult, ClientSeries, Event, Fault, OwnerChange, Result

START = 1_790_000_000.0
FAULT = 8.0


def _write(out_dir: Path, name: str, *, back: float | None, end: float,
           events: list[tuple[float, str, str, str]], owners: list[tuple[float, str]],
           client: ClientResult) -> Path:
    rng = random.Random(3)
    series = ClientSeries()
    sent = 0.0
    echoed = 0
    while sent < end:
        answered = sent < FAULT or (back is not None and sent >= back)
        rtt = 0.0004 + rng.expovariate(3000.0) if answered else None
        series.pings.append((START + sent, rtt))
        if answered and len(series.pings) % 3 == 0:
            echoed += 1200
            series.tcp_echoed.append((START + sent, echoed))
        sent += 0.02
    series.outage = (START + FAULT - 0.004, START + (back if back is not None else end))
    series.answered_again = back is not None
    client.series = series
    faults = [Fault(FAULT * 1000, "power-off", "gw1")]
    changes = [OwnerChange(START + t, node) for t, node in owners]
    happened = [Event(START + t, node, kind, text) for t, node, kind, text in events]
    found = Result(name, True, 1, faults=faults, served_by=result.served_by(changes, START),
                   clients=[client], vip=result.Vip(1, 0.0),
                   phases_ms=result.phases_ms(happened, START + FAULT),
                   timeline=result.timeline(happened, START))
    problems = found.write(out_dir)
    assert not problems, problems
    result.write_series(out_dir, [client], t0=START, t_end=START + end, events=happened,
                        owners=changes, faults=faults)
    return out_dir


def survives(out_dir: Path) -> Path:
    return _write(out_dir, "l2tp-power-cut", back=9.2, end=16.0, events=[
        (8.30, "gw2", "token-lost", "token lost, forming a new ring"),
        (8.31, "gw3", "token-lost", "token lost, forming a new ring"),
        (8.66, "gw2", "membership-lost", "node 1 left the membership"),
        (8.66, "gw3", "membership-lost", "node 1 left the membership"),
        (8.90, "gw3", "fence-requested", "fencing of gw1 requested"),
        (9.02, "gw2", "fence-confirmed", "fencing of gw1 confirmed"),
        (9.02, "gw3", "fence-confirmed", "fencing of gw1 confirmed"),
        (8.68, "gw3", "members", "members list=2,3"),
        (9.05, "gw2", "promote-start", "promote of gateway called"),
        (9.10, "gw2", "claimed", "epoch claimed gateway=l2tp epoch=2.2"),
        (9.11, "gw2", "gate-open", "gate opened gateway=l2tp epoch=2.2"),
        (9.11, "gw2", "promoted", "now promoted gateway=l2tp epoch=2.2 sessions=1"),
        (9.14, "gw2", "first-frame", "first frame from the gateway's address"),
        (9.18, "gw2", "promote-done", "promote of gateway done"),
        (9.5, "client1", "tcp", "retransmission accepted"),
        (16.5, "lab", "step", "client1 hangs up"),
        (16.6, "gw2", "session-down", "session ended: peer sent StopCCN"),
    ], owners=[(0.0, "gw1"), (9.14, "gw2")], client=ClientResult(
        "client1", "l2tp", outage_ms=1184.0, baseline_gap_ms=6.2, pings_sent=400, pings_lost=60,
        tcp_bytes_sent=1_200_000, tcp_bytes_echoed=1_200_000, tcp_intact=True, tcp_resets=0,
        ppp_renegotiations=0, auth_exchanges=0, l2tp_setups=0, pptp_setups=0, ccp_exchanges=0,
        ike_exchanges=0, interface_changes=0))


def dies(out_dir: Path) -> Path:
    return _write(out_dir, "l2tp-control", back=None, end=70.0, events=[
        (8.66, "gw2", "membership-lost", "node 1 left the membership"),
        (8.66, "gw3", "membership-lost", "node 1 left the membership"),
        (8.90, "gw3", "fence-requested", "fencing of gw1 requested"),
        (9.02, "gw2", "fence-confirmed", "fencing of gw1 confirmed"),
        (9.30, "gw2", "first-frame", "first frame from the gateway's address"),
        (51.8, "client1", "ppp", "pppd: No response to 3 echo-requests"),
        (51.8, "client1", "ppp", "pppd: Serial link appears to be disconnected."),
        (57.9, "client1", "ppp", "pppd: Connection terminated."),
    ], owners=[(0.0, "gw1"), (9.3, "gw2")], client=ClientResult(
        "client1", "l2tp", outage_ms=61984.0, baseline_gap_ms=5.8, pings_sent=3100,
        pings_lost=3100, tcp_bytes_sent=180_000, tcp_bytes_echoed=160_000, tcp_intact=False,
        tcp_resets=0, ppp_renegotiations=0, auth_exchanges=0, l2tp_setups=0, pptp_setups=0,
        ccp_exchanges=0, ike_exchanges=0, interface_changes=1))
