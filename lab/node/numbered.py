# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbered datagrams there and back, of which each one counts.

usage: numbered.py serve PORT RESULT
       numbered.py ask ADDRESS PORT RATE RESULT

The client sends RATE datagrams a second. The server answers each of them, with a number of its own,
which counts that client's.
On SIGTERM the client waits for the last answers and writes RESULT, JSON: `sent`, the time of each
datagram in ns, and `answers`, in the order in which they came: [number, number of the answer, time
in ns as the kernel received it].
"""
from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
import time

LAST_ROUND_S = 2.0
RECEIVE_BYTES = 8 << 20
# Short ones: the capture of a client is in its memory until the end.
LENGTH = 32
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@qq")
NUMBERS = struct.Struct("!QQ")


def open_socket(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    opened.bind(("", port))
    opened.setblocking(False)
    return opened


def serve(port: str, _path: str) -> None:
    server = open_socket(int(port))
    counts: dict[tuple[str, int], int] = {}
    print("listening", flush=True)
    while True:
        select.select([server], [], [])
        try:
            while True:
                data, peer = server.recvfrom(LENGTH)
                number, _ = NUMBERS.unpack_from(data)
                count = counts.get(peer, 0)
                server.sendto(NUMBERS.pack(number, count) + data[NUMBERS.size:], peer)
                counts[peer] = count + 1
        except BlockingIOError:
            pass


class Client:
    def __init__(self, address: str, port: int, rate: float) -> None:
        self.socket = open_socket(0)
        self.socket.connect((address, port))
        self.interval_ns = int(1e9 / rate)
        self.sent: list[int] = []
        self.answers: list[tuple[int, int, int]] = []
        self.stopping = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> None:
        start, rest = time.monotonic_ns(), bytes(LENGTH - NUMBERS.size)
        while not self.stopping:
            due = (time.monotonic_ns() - start) // self.interval_ns
            while len(self.sent) <= due:
                data = NUMBERS.pack(len(self.sent), 0) + rest
                self.sent.append(time.time_ns())
                self.socket.send(data)
            ahead = start + len(self.sent) * self.interval_ns - time.monotonic_ns()
            self._receive(max(0.0, ahead / 1e9))
        until = time.monotonic() + LAST_ROUND_S
        while time.monotonic() < until and len(self.answers) < len(self.sent):
            self._receive(0.1)

    def _receive(self, timeout: float) -> None:
        if not select.select([self.socket], [], [], timeout)[0]:
            return
        try:
            while True:
                data, about, _, _ = self.socket.recvmsg(LENGTH, 64)
                number, answer = NUMBERS.unpack_from(data)
                seconds, nanoseconds = TIMESPEC.unpack(about[0][2])
                self.answers.append((number, answer, seconds * 10**9 + nanoseconds))
        except BlockingIOError:
            pass
        except ConnectionRefusedError:
            pass


def ask(address: str, port: str, rate: str, path: str) -> None:
    client = Client(address, int(port), float(rate))
    print("asking", flush=True)
    client.run()
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump({"sent": client.sent, "answers": client.answers}, file)
    os.rename(path + ".new", path)


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
