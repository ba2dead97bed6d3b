# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures an interface of the node whenever it exists, and logs what becomes of it.

usage: watch.py INTERFACE PCAP EVENTS

The capture socket listens on all interfaces and keeps the packets of the one that is named, so it
misses nothing between an interface's birth and the start of a capture program, and continues when
the interface comes back. PCAP has raw IP packets (LINKTYPE_RAW) with the node's time in
nanoseconds. EVENTS has lines `T_NS new|gone|address|no-address INTERFACE INDEX [ADDRESS]`.
"""
from __future__ import annotations

import socket
import struct
import sys
import time
import selectors

ETH_P_ALL = 3
ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
LINKTYPE_RAW = 101
PCAP_NANOSECONDS = 0xA1B23C4D
SNAPLEN = 65535
SO_TIMESTAMPNS = 35
NETLINK_ROUTE = 0
RTMGRP_LINK, RTMGRP_IPV4_IFADDR = 0x1, 0x10
RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
IFLA_IFNAME, IFA_LOCAL = 3, 2


def pcap_header() -> bytes:
    return struct.pack("=IHHiIII", PCAP_NANOSECONDS, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW)


def pcap_record(seconds: int, nanoseconds: int, packet: bytes) -> bytes:
    return struct.pack("=IIII", seconds, nanoseconds, len(packet), len(packet)) + packet


def attributes(data: bytes) -> dict[int, bytes]:
    """Netlink attributes, the first of each kind."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            break
        found.setdefault(kind & 0x3FFF, data[offset + 4:offset + length])
        offset += (length + 3) & ~3
    return found


def netlink_messages(data: bytes) -> list[tuple[int, bytes]]:
    messages, offset = [], 0
    while offset + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, offset)
        if length < 16:
            break
        messages.append((kind, data[offset + 16:offset + length]))
        offset += (length + 3) & ~3
    return messages


class Watch:
    def __init__(self, interface: str, pcap_path: str, events_path: str) -> None:
        self._interface = interface
        # Unbuffered: the files are whole at any moment, also when the node loses its power.
        self._pcap = open(pcap_path, "wb", buffering=0)
        self._pcap.write(pcap_header())
        self._events = open(events_path, "w", encoding="ascii", buffering=1)
        self._index: int | None = None
        self._packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                      socket.htons(ETH_P_ALL))
        self._packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self._route.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR))

    def loop(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._packets, selectors.EVENT_READ, self._on_packet)
        selector.register(self._route, selectors.EVENT_READ, self._on_route)
        print("watching", flush=True)
        while True:
            for key, _ in selector.select():
                key.data()

    def _on_packet(self) -> None:
        packet, control, _, (name, protocol, *_) = self._packets.recvmsg(SNAPLEN, 64)
        if name != self._interface or protocol not in (ETH_P_IP, ETH_P_IPV6):
            return
        now = time.time_ns()
        stamp = (now // 1_000_000_000, now % 1_000_000_000)
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                stamp = struct.unpack("=qq", data)
        self._pcap.write(pcap_record(*stamp, packet))

    def _on_route(self) -> None:
        for kind, data in netlink_messages(self._route.recv(1 << 16)):
            if kind in (RTM_NEWLINK, RTM_DELLINK):
                self._on_link(kind, data)
            elif kind in (RTM_NEWADDR, RTM_DELADDR):
                self._on_address(kind, data)

    def _on_link(self, kind: int, data: bytes) -> None:
        index = struct.unpack_from("=i", data, 4)[0]
        name = attributes(data[16:]).get(IFLA_IFNAME, b"").rstrip(b"\0").decode()
        if name != self._interface:
            return
        if kind == RTM_DELLINK:
            self._index = None
            self._log("gone", index)
        elif index != self._index:
            self._index = index
            self._log("new", index)

    def _on_address(self, kind: int, data: bytes) -> None:
        index = struct.unpack_from("=i", data, 4)[0]
        found = attributes(data[8:])
        if index == self._index and IFA_LOCAL in found:
            self._log("address" if kind == RTM_NEWADDR else "no-address", index,
                      socket.inet_ntoa(found[IFA_LOCAL]))

    def _log(self, event: str, index: int, detail: str = "") -> None:
        line = f"{time.time_ns()} {event} {self._interface} {index} {detail}"
        self._events.write(line.rstrip() + "\n")


if __name__ == "__main__":
    Watch(*sys.argv[1:4]).loop()
