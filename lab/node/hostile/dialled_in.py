# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends through a client's tunnel what a client has no business to send.

usage: dialled_in.py DEVICE ATTEMPT...

ATTEMPT: udp or tcp (a SYN), SOURCE, TARGET, PORT, joined by commas. The first one has the source
port 30000, the next one 30001, and so on. Each is sent three times.
"""
from __future__ import annotations

import ipaddress
import socket
import struct
import sys
import time

FIRST_PORT = 30_000
# A burst would be too much for a tunnel that goes through a program.
TIMES, PAUSE_S = 3, 0.01
TTL = 64
PROTOCOLS = {"udp": socket.IPPROTO_UDP, "tcp": socket.IPPROTO_TCP}
PAYLOAD = b"lab"


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(attempt: str, source_port: int) -> tuple[bytes, str]:
    """The packet, and where it is to go. The kernel fills in length and checksum of the header."""
    protocol, source, target, port = attempt.split(",")
    number = PROTOCOLS[protocol]
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    if protocol == "udp":
        # Without a checksum.
        body = struct.pack("!HHHH", source_port, int(port), 8 + len(PAYLOAD), 0) + PAYLOAD
    else:
        body = struct.pack("!HHIIBBHHH", source_port, int(port), 1, 0, 5 << 4, 2, 65535, 0, 0)
        total = checksum(addresses + struct.pack("!HH", number, len(body)) + body)
        body = body[:16] + struct.pack("!H", total) + body[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, TTL, number, 0)
    return head + addresses + body, target


def main() -> None:
    device, *attempts = sys.argv[1:]
    packets = [packet(each, FIRST_PORT + index) for index, each in enumerate(attempts)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        for _ in range(TIMES):
            for content, target in packets:
                raw.sendto(content, (target, 0))
                time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
