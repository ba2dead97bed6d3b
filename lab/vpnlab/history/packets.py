# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of a run as one stream in the order of time. Nothing is kept in memory: a capture of
half an hour is read as it is checked."""
from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..evidence.capture_decode import (DLT_EN10MB, ETH_IPV4, ETH_IPV6, IP_ICMPV6, IP_UDP,
                                       PORT_L2TP, Frame, decode_frame, read_octets)
from ..host.topology import NAT, NETWORKS, NODES, VPN_GATEWAYS
from .violations import Place

# Whose each address is.
GATEWAYS = {vip: gateway.name for gateway in VPN_GATEWAYS for vip in gateway.vips}
VIPS = frozenset(GATEWAYS)
# Captures of what gateways have sent.
WIRE = "wire"
_VIPS4 = frozenset(ipaddress.ip_address(vip).packed for vip in VIPS if ":" not in vip)
_VIPS6 = frozenset(ipaddress.ip_address(vip).packed for vip in VIPS if ":" in vip)
_PORT_L2TP = PORT_L2TP.to_bytes(2, "big")
ANNOUNCED_TO_ALL = "ff02::1"


def _speakers() -> dict[str, str]:
    """Who may bring a frame of a gateway, by hardware addresses: gateways, and the router of a
    home. What others send from the gateway's address is forged, and no word of it."""
    return {mac: spec.name for spec in NODES.values()
            if spec.is_gateway or spec.name == NAT for network in spec.networks
            for mac in spec.macs(network)}


SPEAKERS = _speakers()


@dataclass(slots=True)
class Packet:
    """A frame from a gateway's address, or a client's control message of L2TP to one. `vantage`:
    WIRE, or the client at whose link it was captured. `node`: who sent it there."""

    place: Place
    vantage: str
    node: str
    frame: Frame
    # The gateway's address that speaks; empty: a client speaks.
    vip: str = ""

    @property
    def claims(self) -> bool:
        """It announces to all that the address is this node's."""
        arp, ip = self.frame.arp, self.frame.ip
        if arp is not None:
            return arp.sender == arp.target
        return ip is not None and ip.advertised is not None and ip.dst == ANNOUNCED_TO_ALL


@dataclass
class Capture:
    """A file of a run's directory: NODE-NETWORK.pcap. `frames`: how many were read."""

    path: Path
    node: str
    network: str
    frames: int = 0

    @property
    def vantage(self) -> str:
        return WIRE if NODES[self.node].is_gateway else self.node

    def packets(self) -> Iterator[Packet]:
        name, vantage, own = self.path.name, self.vantage, NODES[self.node].mac(self.network)
        by_client = vantage != WIRE
        for number, (t, link, data) in enumerate(read_octets(self.path), 1):
            self.frames = number
            if link == DLT_EN10MB and not _may_count(data, by_client):
                continue
            frame = decode_frame(t, link, data)
            vip = _speaks_for(frame)
            node = SPEAKERS.get(frame.src_mac or "") if vip else (
                self.node if by_client and frame.src_mac == own else None)
            if node is not None:
                yield Packet(Place(name, number, t), vantage, node, frame, vip)


def captures(folder: Path) -> list[Capture]:
    """Those of a run at the links of its nodes; what a client captures within its tunnel, and
    files without a frame, are not among them."""
    found = []
    for path in sorted(folder.glob("*.pcap")):
        node, _, network = path.stem.partition("-")
        if (node in NODES and network in NETWORKS and network in NODES[node].networks
                and path.stat().st_size):
            found.append(Capture(path, node, network))
    return found


def in_order(found: Iterable[Capture]) -> Iterator[Packet]:
    return iter(heapq.merge(*(each.packets() for each in found),
                            key=lambda packet: packet.place.t))


def _may_count(data: bytes, by_client: bool) -> bool:
    """Before it is decoded: most frames of a capture are a client's or a server's."""
    if len(data) < 34:
        return False
    kind = int.from_bytes(data[12:14], "big")
    if kind == ETH_IPV4:
        return data[26:30] in _VIPS4 or (
            by_client and data[23] == IP_UDP and data[30:34] in _VIPS4
            and _PORT_L2TP in data[34:38])
    if kind == ETH_IPV6:
        return data[22:38] in _VIPS6 or data[20] == IP_ICMPV6 or (
            by_client and data[20] == IP_UDP and data[38:54] in _VIPS6)
    return True


def _speaks_for(frame: Frame) -> str:
    """The gateway's address that a frame comes from, or that it announces."""
    if frame.arp is not None:
        source: str | None = frame.arp.sender
    else:
        source = None if frame.ip is None else frame.ip.advertised or frame.ip.src
    return source if source in VIPS else ""
