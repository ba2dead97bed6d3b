# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody on the network outside who has recorded a client's ESP packets, and sends them again."""
from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import dpkt

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import NAT, NETWORKS, VpnGateway
from .capture_decode import DLT_EN10MB, Esp, decode_frame

MAC_BYTES = 6
# Slow enough for a node's queue.
INTERVAL_S = 0.002


class Eavesdropper:
    """Records from its creation on what a client sends, as it leaves its NAT."""

    def __init__(self, lab: Lab, client: Node, gateway: VpnGateway, path: Path) -> None:
        self._lab = lab
        self._source = client.spec.public_address
        self._target = gateway.vip_outside
        self._path = path
        sender = NAT if client.spec.access == "home" else client.name
        lab.capture_sent(sender, "outside", path)

    def replay(self, gateway: Node) -> int:
        """Sends all that was recorded so far to a gateway, once; returns how many packets."""
        frames = list(esp_frames(self._path, self._source, self._target))
        if not frames:
            raise LabError(f"{self._path} has no ESP of {self._source}")
        target = bytes.fromhex(gateway.spec.mac("outside").replace(":", ""))
        with self._lab.namespace.entered():
            sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with sender:
            sender.bind((NETWORKS["outside"].name, 0))
            for frame in frames:
                sender.send(target + frame[MAC_BYTES:])
                time.sleep(INTERVAL_S)
        return len(frames)


def esp_frames(path: Path, source: str, target: str) -> Iterator[bytes]:
    """Frames with ESP of one direction, in UDP or not."""
    with path.open("rb") as stream:
        for _, data in dpkt.pcap.Reader(stream):
            ip = decode_frame(0.0, DLT_EN10MB, data).ip
            if ip is None or (ip.src, ip.dst) != (source, target):
                continue
            if isinstance(ip.upper, Esp):
                yield data
