# SPDX-License-Identifier: GPL-2.0-or-later
"""Pings one address, IPv4 or IPv6, at a fixed rate until SIGTERM; logs each packet with its time.

usage: ping_probe.py ADDRESS INTERVAL_S LOG

Lines of LOG: `s SEQ T_NS` sent, `r SEQ T_NS` answered, `e SEQ T_NS ERRNO` not sent. The schedule
is absolute, so a late wake-up (the node's tick is 10 ms) delays one probe and not the rate.
"""
from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import time

ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO_REQUEST_6, ECHO_REPLY_6 = 128, 129
CATCH_UP_S = 0.2
PAYLOAD = b"vpnha-lab probe "


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo_request(identifier: int, sequence: int, kind: int = ECHO_REQUEST) -> bytes:
    """The checksum of ICMPv6 is another one, which the kernel writes over this one."""
    header = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence)
    return header[:2] + struct.pack("!H", checksum(header + PAYLOAD)) + header[4:] + PAYLOAD


def reply_sequence(packet: bytes, identifier: int) -> int | None:
    """Sequence number of an echo reply to us; None for any other packet."""
    return _sequence(packet, (packet[0] & 0x0F) * 4, ECHO_REPLY, identifier)


def reply_sequence_6(packet: bytes, identifier: int) -> int | None:
    """The same for IPv6, where a raw socket gives no IP header."""
    return _sequence(packet, 0, ECHO_REPLY_6, identifier)


def _sequence(packet: bytes, offset: int, wanted: int, identifier: int) -> int | None:
    if len(packet) < offset + 8:
        return None
    kind, _, _, its_identifier, sequence = struct.unpack_from("!BBHHH", packet, offset)
    return sequence if (kind, its_identifier) == (wanted, identifier) else None


def main() -> None:
    address, interval, log_path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    identifier = os.getpid() & 0xFFFF
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    if ":" in address:
        kind, read_sequence = ECHO_REQUEST_6, reply_sequence_6
        probe = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    else:
        kind, read_sequence = ECHO_REQUEST, reply_sequence
        probe = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    probe.setblocking(False)
    with open(log_path, "w", encoding="ascii", buffering=1) as log:
        sequence, due = 0, time.monotonic()
        while not stopping:
            wait = due - time.monotonic()
            if wait <= 0:
                try:
                    probe.sendto(echo_request(identifier, sequence, kind), (address, 0))
                    log.write(f"s {sequence} {time.time_ns()}\n")
                except OSError as error:
                    log.write(f"e {sequence} {time.time_ns()} {error.errno}\n")
                sequence = (sequence + 1) & 0xFFFF
                # A short stall is made up for, a pause of the node is not.
                due = max(due + interval, time.monotonic() - CATCH_UP_S)
                continue
            if select.select([probe], [], [], wait)[0]:
                packet = probe.recv(2048)
                answered = read_sequence(packet, identifier)
                if answered is not None:
                    log.write(f"r {answered} {time.time_ns()}\n")


if __name__ == "__main__":
    main()
