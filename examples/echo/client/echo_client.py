# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of echo, the toy protocol of CONTRIBUTING.md: one session, a request each INTERVAL_S.

usage: echo_client.py ADDRESS PORT INTERVAL_S RESULT

Prints `opened` when it has a session. On SIGTERM it closes the session and writes RESULT, as JSON:
answers, forged (their hash is not the secret's), repeated and skipped (numbers), gap_ms (the
longest time without an answer), closed. examples/echo/backend/responder.hpp has the datagrams.
"""
from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time

RETRY_S = 0.5
CLOSE_LIMIT_S = 5.0
DATAGRAM = 2048


def seal(message: bytes, secret: bytes) -> bytes:
    return message + hashlib.blake2b(message, key=secret, digest_size=32).digest()


class Session:
    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((address, port))
        self.answers = self.forged = self.repeated = self.skipped = 0
        self.gap = 0.0
        self._next: int | None = None
        self._answered = 0.0
        nonce = os.urandom(8)
        reply = b""
        while reply[:9] != b"S" + nonce:
            reply = self._ask(b"O" + nonce)
        self._id, self._secret = reply[9:17], reply[17:]
        self._answered = time.monotonic()

    def _send(self, message: bytes) -> None:
        try:
            self._socket.send(message)
        except OSError:
            pass  # Nobody serves the address at the moment.

    def _receive(self, timeout: float) -> bytes:
        try:
            if select.select([self._socket], [], [], max(0.0, timeout))[0]:
                return self._socket.recv(DATAGRAM)
        except OSError:
            pass
        return b""

    def _ask(self, message: bytes) -> bytes:
        self._send(message)
        return self._receive(RETRY_S)

    def request(self, wait: float) -> None:
        self._send(b"Q" + self._id + os.urandom(8))
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            reply = self._receive(left)
            if reply[:9] == b"A" + self._id:
                self._take(reply)

    def _take(self, reply: bytes) -> None:
        now = time.monotonic()
        self.gap, self._answered = max(self.gap, now - self._answered), now
        self.answers += 1
        if seal(reply[:-32], self._secret) != reply:
            self.forged += 1
            return
        number = struct.unpack("!Q", reply[17:25])[0]
        if self._next is not None:
            self.repeated += number < self._next
            self.skipped += max(0, number - self._next)
        self._next = max(number + 1, self._next or 0)

    def close(self) -> bool:
        until = time.monotonic() + CLOSE_LIMIT_S
        while time.monotonic() < until:
            if self._ask(seal(b"C" + self._id, self._secret)) == b"D" + self._id:
                return True
        return False


def main() -> None:
    address, port, interval, path = sys.argv[1:]
    stopped: list[int] = []
    session = Session(address, int(port))
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    print("opened", flush=True)
    while not stopped:
        session.request(float(interval))
    result = {"answers": session.answers, "forged": session.forged, "repeated": session.repeated,
              "skipped": session.skipped, "gap_ms": round(session.gap * 1000.0, 1),
              "closed": session.close()}
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump(result, file)
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main()
