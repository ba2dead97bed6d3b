# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs with synthetic captures, for the tests of vpnlab.history."""
from __future__ import annotations

import struct
from pathlib import Path

from capture_packets import T0, VIP, Pcap, ip, udp
from vpnlab.history.check import History, check
from vpnlab.host.topology import NODES

CLIENT = NODES["client1"].address("outside")
GATEWAYS = ("gw1", "gw2", "gw3")


def mac(node: str) -> str:
    return NODES[node].mac("outside")


def esp(spi: int, seq: int, dst: str = CLIENT) -> bytes:
    return ip(VIP, dst, 50, struct.pack("!II", spi, seq) + b"x" * 32)


def wireguard(receiver: int, counter: int, kind: int = 4) -> bytes:
    return udp(VIP, CLIENT, 51820, 40000, struct.pack("<IIQ", kind, receiver, counter) + b"x" * 16)


def ike_request(message_id: int, body: bytes, *, flags: int = 0, first_payload: int = 46,
                exchange: int = 37) -> bytes:
    header = b"initiat1" + b"respond1" + bytes([first_payload, 0x20, exchange, flags]) + \
        struct.pack("!II", message_id, 28 + len(body))
    return udp(VIP, CLIENT, 4500, 4500, b"\0\0\0\0" + header + body)


class Made:
    """What gateways sent outside, and what client1's link saw; times are seconds after T0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gateways = {name: Pcap() for name in GATEWAYS}
        self.client = Pcap()

    def claim(self, t: float, node: str, address: str = VIP) -> Made:
        self.gateways[node].arp(t, address, mac(node))
        return self

    def send(self, t: float, node: str, packet: bytes) -> Made:
        self.gateways[node].ip(t, packet, mac(node))
        return self

    def serve(self, node: str, start: float, end: float, *, spi: int = 7, first: int = 1,
              step: float = 0.01) -> Made:
        """ESP to client1, one number after the other."""
        for i in range(round((end - start) / step)):
            self.send(start + i * step, node, esp(spi, first + i))
        return self

    def from_client(self, t: float, packet: bytes) -> Made:
        self.client.ip(t, packet, mac("client1"))
        return self

    def check(self) -> History:
        for name, pcap in (*self.gateways.items(), ("client1", self.client)):
            if pcap.records:
                pcap.write(self.folder / f"{name}-outside.pcap")
        return check(self.folder)


def kinds(history: History) -> list[str]:
    return [each.kind for each in history.violations]


__all__ = ["CLIENT", "GATEWAYS", "T0", "VIP", "Made", "esp", "ike_request", "kinds", "mac",
           "wireguard"]
