# SPDX-License-Identifier: GPL-2.0-or-later
"""A node that has just started, and what a group holds: L2TP sessions, or IKE SAs with a CHILD SA.
In turns this project's replica, and a fresh replica of redis with as many keys and octets."""
from __future__ import annotations

from pathlib import Path

from . import group, redis_pair
from .group import Run
from .rig import Rig

NODES = 3
SESSIONS = 10_000
# group_bench's records of an IKE SA (record_set.hpp), and their octets on average.
RECORDS_OF_SA, SA_OCTETS = 3, 230
# While a node joins, next to nothing changes.
RATE = 1
RUNS = [Run("join", style, NODES, records, rate=RATE, kind=kind, payload=payload)
        for kind, records, payload in (
            ("l2tp", SESSIONS, redis_pair.PAYLOAD_BYTES),
            ("ike", SESSIONS * RECORDS_OF_SA, SA_OCTETS))
        for style in ("vpnha", "redis")]


def measure(rig: Rig, run: Run, binary: Path) -> dict:
    """One round: the time until the fresh node has everything."""
    found = redis_pair.measure_join(rig, run) if run.style == "redis" else (
        group.measure(rig, run, binary))
    return {"kind": run.kind, "count": SESSIONS, "join_ms": found["join_ms"]}
