# SPDX-License-Identifier: GPL-2.0-or-later
"""The peers of the sessions that session_crowd.py announces: they answer what a gateway sends.

usage: l2tp_peers.py FIRST COUNT

Listens on COUNT UDP ports from FIRST on; the peer of port N has the tunnel and session id N, as the
gateway has. Every control message with content is answered by an acknowledgement (RFC 2661 5.8),
every LCP echo by a reply (RFC 1661 5.8). Each second a line has as JSON how many peers a gateway
has spoken to, and how much was answered. At SIGTERM each peer that was spoken to ends its tunnel,
200 of them a second, and again after 8 s while that is not acknowledged. The program ends when all
of that is acknowledged, or with 1 after 120 s.
"""
from __future__ import annotations

import json
import resource
import selectors
import signal
import socket
import struct
import sys
import time

HEADER = struct.Struct("!HHHHHH")
# Control message with length and sequence fields, version 2; data with neither.
CONTROL, DATA = 0xC802, 0x0002
CONTROL_BIT = 0x8000
DATA_HEADER = struct.Struct("!HHH")
# Address and control field, LCP.
LCP = b"\xff\x03\xc0\x21"
ECHO_REQUEST, ECHO_REPLY = 9, 10
# Code, identifier, length, magic number.
ECHO = struct.Struct("!BBHI")
# StopCCN's AVPs, each with the M bit: message type 4, our tunnel id, result 1.
STOP_CCN = struct.Struct("!HHHHHHHHHHHH")
STOPS_PER_SECOND = 200
STOP_AGAIN_S, STOP_LIMIT_S = 8.0, 120.0


def acknowledgement(datagram: bytes) -> bytes | None:
    """The answer to a datagram; None to data and to acknowledgements."""
    if len(datagram) <= HEADER.size:
        return None
    flags, _, tunnel, _, ns, nr = HEADER.unpack_from(datagram)
    if not flags & CONTROL_BIT:
        return None
    return HEADER.pack(CONTROL, HEADER.size, tunnel, 0, nr, (ns + 1) & 0xFFFF)


def echo_reply(datagram: bytes) -> bytes | None:
    """The answer to a data packet that is an LCP echo request; None to others."""
    begin = DATA_HEADER.size + len(LCP)
    if len(datagram) < begin + ECHO.size or datagram[DATA_HEADER.size:begin] != LCP:
        return None
    flags, tunnel, session = DATA_HEADER.unpack_from(datagram)
    code, identifier, length, _ = ECHO.unpack_from(datagram, begin)
    if flags != DATA or code != ECHO_REQUEST or len(datagram) < begin + length:
        return None
    return (DATA_HEADER.pack(DATA, tunnel, session) + LCP
            + ECHO.pack(ECHO_REPLY, identifier, length, 0)
            + datagram[begin + ECHO.size:begin + length])


def stop_ccn(tunnel: int, ns: int, nr: int) -> bytes:
    body = STOP_CCN.pack(0x8008, 0, 0, 4, 0x8008, 0, 9, tunnel, 0x8008, 0, 1, 1)
    return HEADER.pack(CONTROL, HEADER.size + len(body), tunnel, 0, ns, nr) + body


class Peers:
    def __init__(self, first: int, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        for port in range(first, first + count):
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            peer.bind(("", port))
            self._selector.register(peer, selectors.EVENT_READ, port)
        # By port: socket, address of the gateway, what it acknowledges and expects next.
        self._reached: dict[int, tuple[socket.socket, tuple, int, int]] = {}
        self._stopped_at: dict[int, float] = {}
        self._stopping_since: float | None = None
        self._stops = 0
        self._counts = {"acknowledged": 0, "echoes": 0}
        self.ending = False

    def line(self) -> str:
        return json.dumps({"reached": len(self._reached), **self._counts})

    def serve(self, patience_s: float) -> None:
        for key, _ in self._selector.select(patience_s):
            datagram, sender = key.fileobj.recvfrom(2048)
            if len(datagram) >= HEADER.size and datagram[0] & 0x80:
                self._on_control(key.fileobj, key.data, datagram, sender)
            elif answer := echo_reply(datagram):
                self._counts["echoes"] += 1
                key.fileobj.sendto(answer, sender)

    def _on_control(self, peer: socket.socket, port: int, datagram: bytes, sender: tuple) -> None:
        *_, ns, nr = HEADER.unpack_from(datagram)
        answer = acknowledgement(datagram)
        if answer is not None:
            self._counts["acknowledged"] += 1
            peer.sendto(answer, sender)
            self._reached[port] = (peer, sender, nr, (ns + 1) & 0xFFFF)
        elif port in self._stopped_at and nr == (self._reached[port][2] + 1) & 0xFFFF:
            del self._reached[port], self._stopped_at[port]

    def stop_some(self, now: float) -> bool:
        """At the pace, from the first call on. Whether there are tunnels left."""
        if self._stopping_since is None:
            self._stopping_since = now
        allowed = int(STOPS_PER_SECOND * (now - self._stopping_since)) + 1 - self._stops
        due = [port for port in self._reached
               if port not in self._stopped_at or now >= self._stopped_at[port] + STOP_AGAIN_S]
        for port in due[:allowed]:
            self._stops += 1
            peer, gateway, ns, nr = self._reached[port]
            peer.sendto(stop_ccn(port, ns, nr), gateway)
            self._stopped_at[port] = now
        return bool(self._reached)


def main() -> int:
    first, count = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
    peers = Peers(first, count)

    def end(*_: object) -> None:
        peers.ending = True
    signal.signal(signal.SIGTERM, end)
    print(f"listening on {count} ports", flush=True)
    printed_at = time.monotonic()
    while not peers.ending:
        peers.serve(1.0)
        if time.monotonic() >= printed_at + 1:
            printed_at = time.monotonic()
            print(peers.line(), flush=True)
    until = time.monotonic() + STOP_LIMIT_S
    while is_left := peers.stop_some(time.monotonic()):
        if time.monotonic() >= until:
            break
        peers.serve(0.05)
    print(peers.line(), flush=True)
    return 1 if is_left else 0


if __name__ == "__main__":
    sys.exit(main())
