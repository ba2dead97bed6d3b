# SPDX-License-Identifier: GPL-2.0-or-later
"""Who spoke for the gateway's addresses, and when: from captures at each gateway's taps.

A tap shows both directions, and broadcasts of the other gateways too. Either the captures hold
only what the node sent (`tcpdump -Q in` at the tap: into the bridge), or the caller names each
node's hardware addresses in `macs`.
"""
from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .capture_decode import Frame, read_frames
from .result import Event, OwnerChange, Vip

# An owner that sends nothing for so long is no longer counted as one. Longer than any pause of a
# serving gateway under 50 probes/s, shorter than any takeover and return.
SILENCE_ENDS_S = 1.0
# A new owner's first frames may leave by one side before its first frame on the other.
GRACE_S = 0.25

Macs = Mapping[str, Iterable[str]]


@dataclass(frozen=True, slots=True)
class Ownership:
    """One node spoke for one address from `start` to `end` without a longer pause."""

    address: str
    node: str
    start: float
    end: float


@dataclass(slots=True)
class VipAnalysis:
    served_by: list[OwnerChange] = field(default_factory=list)
    owners_max: int | None = None
    overlap_ms: float | None = None
    first_frames: list[Event] = field(default_factory=list)
    ownerships: list[Ownership] = field(default_factory=list)

    @property
    def vip(self) -> Vip:
        return Vip(self.owners_max, self.overlap_ms)


def analyse_vip(outside_pcaps: Mapping[str, Path], inside_pcaps: Mapping[str, Path],
                vips: Sequence[str], t_fault: float | None, *,
                macs: Macs | None = None) -> VipAnalysis:
    """Finds the owners of `vips`; each capture is keyed by the node at whose tap it was taken.

    owners_max and overlap_ms are None when nobody was ever seen. The first frame of a node after
    the fault becomes an event of kind first-frame, when another node spoke before.
    """
    spoken: dict[tuple[str, str], list[float]] = {}
    wanted = frozenset(vips)
    for pcaps in (outside_pcaps, inside_pcaps):
        for node, path in pcaps.items():
            for frame in _sent_by(node, path, macs):
                source = _source(frame)
                if source in wanted:
                    spoken.setdefault((source, node), []).append(frame.t)
    analysis = VipAnalysis()
    for (address, node), times in spoken.items():
        analysis.ownerships += _ownerships(address, node, sorted(times))
    analysis.ownerships.sort(key=lambda o: o.start)
    if not analysis.ownerships:
        return analysis
    for ownership in analysis.ownerships:
        if not analysis.served_by or analysis.served_by[-1].node != ownership.node:
            analysis.served_by.append(OwnerChange(ownership.start, ownership.node))
    owners, overlap = zip(*(_overlap([o for o in analysis.ownerships if o.address == address])
                            for address in wanted))
    analysis.owners_max = max(owners)
    analysis.overlap_ms = round(max(overlap) * 1000.0, 3)
    if t_fault is not None:
        for change in analysis.served_by[1:]:
            if change.t >= t_fault:
                analysis.first_frames.append(Event(
                    change.t, change.node, "first-frame", "first frame from the gateway's address"))
    return analysis


def standby_frames(pcaps: Mapping[str, Sequence[Path]], addresses: Sequence[str],
                   owners: Sequence[OwnerChange], *, macs: Macs | None = None,
                   grace_s: float = GRACE_S) -> list[Event]:
    """Frames that a node sent from the gateway's addresses while another one was the owner.

    `addresses` are the VIPs, the PPP addresses and pools, as addresses or networks. `owners` is
    what the cluster decided (or analyse_vip's served_by, which cannot accuse the node that spoke
    first).
    """
    networks = [ipaddress.ip_network(address) for address in addresses]
    known: dict[str, bool] = {}

    def is_ours(address: str) -> bool:
        if address not in known:
            ip = ipaddress.ip_address(address)
            known[address] = any(ip in network for network in networks)
        return known[address]

    stray = []
    for node, paths in pcaps.items():
        for path in paths:
            for frame in _sent_by(node, path, macs):
                source = _source(frame)
                if source is None or not is_ours(source):
                    continue
                if node not in (_owner(owners, frame.t), _owner(owners, frame.t + grace_s)):
                    what = "ARP" if frame.arp else "IP"
                    stray.append(Event(frame.t, node, "standby-frame",
                                       f"{what} from {source} while unpromoted"))
    return sorted(stray, key=lambda event: event.t)


def _sent_by(node: str, path: Path, macs: Macs | None) -> Iterator[Frame]:
    own = frozenset(mac.lower() for mac in macs.get(node, ())) if macs is not None else None
    for frame in read_frames(path):
        if own is None or frame.src_mac in own:
            yield frame


def _source(frame: Frame) -> str | None:
    if frame.arp is not None:
        return frame.arp.sender
    return None if frame.ip is None else frame.ip.advertised or frame.ip.src


def _owner(owners: Sequence[OwnerChange], t: float) -> str | None:
    current = None
    for change in owners:
        if change.t > t:
            break
        current = change.node
    return current


def _ownerships(address: str, node: str, times: Sequence[float]) -> list[Ownership]:
    runs, start, last = [], times[0], times[0]
    for t in times[1:]:
        if t - last > SILENCE_ENDS_S:
            runs.append(Ownership(address, node, start, last))
            start = t
        last = t
    runs.append(Ownership(address, node, start, last))
    return runs


def _overlap(ownerships: Sequence[Ownership]) -> tuple[int, float]:
    """Most owners at a time, and for how many seconds there was more than one."""
    # Starts before ends at the same instant: touching intervals of two nodes do overlap.
    edges = sorted([(o.start, 0, o.node) for o in ownerships]
                   + [(o.end, 1, o.node) for o in ownerships])
    open_nodes: dict[str, int] = {}
    most, total, since = 0, 0.0, 0.0
    for t, ends, node in edges:
        if len(open_nodes) > 1:
            total += t - since
        since = t
        count = open_nodes.get(node, 0) + (-1 if ends else 1)
        if count:
            open_nodes[node] = count
        else:
            open_nodes.pop(node, None)
        most = max(most, len(open_nodes))
    return most, total
