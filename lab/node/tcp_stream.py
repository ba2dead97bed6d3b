# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams numbered records to an echo server until SIGTERM and checks what comes back.

usage: tcp_stream.py ADDRESS PORT INTERVAL_S RESULT

RESULT is written at the end, as JSON: bytes_sent, bytes_echoed, intact (all that was sent came
back, in order, unchanged, and the connection never failed), resets, errors, and `echoed`: pairs
of the node's time in nanoseconds and the bytes echoed by then. The stream never reconnects: one
connection must outlive everything.
"""
from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
import time

RECORD = 64
CONNECT_LIMIT_S = 10.0
# After the last record: how long echoes may be outstanding before the stream counts as hung. TCP
# is silent for up to 13 s after 13 s without an answer.
DRAIN_LIMIT_S = 20.0


def record(number: int) -> bytes:
    """Number, then filler that differs from one record to the next."""
    return f"{number:012d} ".encode() + bytes([97 + number % 26]) * (RECORD - 14) + b"\n"


class Stream:
    def __init__(self) -> None:
        self.sent = bytearray()
        self.sent_total = 0
        self.echoed_total = 0
        self.resets = 0
        self.errors: list[str] = []
        self.altered = False
        self.echoed: list[tuple[int, int]] = []

    def on_echo(self, data: bytes) -> None:
        """Compares with what was sent and not yet echoed."""
        if bytes(self.sent[:len(data)]) != data:
            self.altered = True
        del self.sent[:len(data)]
        self.echoed_total += len(data)
        self.echoed.append((time.time_ns(), self.echoed_total))

    def on_error(self, error: OSError) -> None:
        self.errors.append(errno.errorcode.get(error.errno or 0, str(error)))
        if error.errno in (errno.ECONNRESET, errno.EPIPE):
            self.resets += 1

    def result(self) -> dict:
        intact = not (self.altered or self.errors) and self.echoed_total == self.sent_total > 0
        return {"bytes_sent": self.sent_total, "bytes_echoed": self.echoed_total,
                "intact": intact, "resets": self.resets, "errors": self.errors,
                "echoed": self.echoed}


def transfer(connection: socket.socket, stream: Stream, interval: float,
             stopping: list[bool]) -> None:
    """Sends a record each interval until it is stopped, then waits for the rest of the echo."""
    number, due, pending = 0, time.monotonic(), b""
    drain_until = None
    while True:
        now = time.monotonic()
        if stopping[0]:
            drain_until = drain_until or now + DRAIN_LIMIT_S
            if not (stream.sent or pending) or now >= drain_until:
                return
        elif not pending and now >= due:
            pending = record(number)
            number += 1
            due = max(due + interval, now - interval)
        timeout = 0.05 if stopping[0] or pending else max(0.0, due - now)
        readable, writable, _ = select.select([connection], [connection] if pending else [], [],
                                              timeout)
        if writable:
            count = connection.send(pending)
            stream.sent += pending[:count]
            stream.sent_total += count
            pending = pending[count:]
        if readable:
            data = connection.recv(1 << 16)
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "closed by the server")
            stream.on_echo(data)


def main() -> None:
    address, port, interval, path = sys.argv[1:]
    stopping = [False]

    def stop(*_: object) -> None:
        stopping[0] = True

    signal.signal(signal.SIGTERM, stop)
    stream = Stream()
    try:
        connection = socket.create_connection((address, int(port)), timeout=CONNECT_LIMIT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        print("connected", flush=True)
        transfer(connection, stream, float(interval), stopping)
        connection.close()
    except OSError as error:
        stream.on_error(error)
    temporary = path + ".new"
    with open(temporary, "w", encoding="ascii") as file:
        json.dump(stream.result(), file)
    os.rename(temporary, path)


if __name__ == "__main__":
    main()
