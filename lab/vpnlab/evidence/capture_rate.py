# SPDX-License-Identifier: GPL-2.0-or-later
"""How densely packets of one kind follow each other, as the wire has them."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .capture_decode import L2tp, read_frames
from .capture_goodbye import CDN


def most_within(times: Iterable[float], window_s: float = 1.0) -> int:
    """The largest number of them in any window of that length."""
    ordered = sorted(times)
    most = first = 0
    for last, time in enumerate(ordered):
        while time - ordered[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def packet_times(pcap: Path) -> list[float]:
    """Of all packets of the file; its capture has chosen them."""
    return [frame.t for frame in read_frames(pcap) if frame.ip is not None]


def first_ends(pcap: Path, gateway: str) -> list[float]:
    """When the gateway sent each session its end by a CDN, for the first time."""
    ended: dict[tuple[str, int | None, int], float] = {}
    for frame in read_frames(pcap):
        ip = frame.ip
        if (ip is not None and ip.src == gateway and isinstance(ip.upper, L2tp)
                and ip.upper.message == CDN):
            ended.setdefault((ip.dst, ip.dport, ip.upper.tunnel), frame.t)
    return sorted(ended.values())
