# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP streams in numbers from chosen source ports to an echo server, until SIGTERM.

usage: streams.py ADDRESS PORT FIRST_PORT COUNT INTERVAL_S RESULT [DEVICE...]

COUNT streams through each device (without one: as routed), from the source ports FIRST_PORT and
up: the same ones through each device, so that a gateway which gives all of them one address must
give most of them other ports. Each stream sends a record each INTERVAL_S and checks what comes
back; none ever reconnects. SIGTERM asks each for one record more.

RESULT, at the end, as JSON: streams, alive (all that was sent came back, the last record too),
resets, and `broken`: what became of the others.
"""
from __future__ import annotations

import errno
import heapq
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time

CONNECT_LIMIT_S = 10.0
# Longer than the pause between two retransmissions after a takeover.
LAST_ROUND_S = 15.0


class Stream:
    def __init__(self, connection: socket.socket, device: str) -> None:
        self.connection = connection
        self.name = f"{device or 'stream'}:{connection.getsockname()[1]}"
        self.missing = bytearray()
        self.number = 0
        self.trouble = ""

    def send(self) -> None:
        """One record, which its socket's buffer takes whole: at most one is under way."""
        record = f"{self.name} {self.number}\n".encode()
        self.number += 1
        try:
            if self.connection.send(record) != len(record):
                self.trouble = "short write"
            self.missing += record
        except OSError as error:
            self.fail(error)

    def receive(self) -> None:
        try:
            data = self.connection.recv(1 << 12)
        except OSError as error:
            self.fail(error)
            return
        if not data:
            self.trouble = "closed"
        elif bytes(self.missing[:len(data)]) != data:
            self.trouble = "altered"
        del self.missing[:len(data)]

    def fail(self, error: OSError) -> None:
        self.trouble = errno.errorcode.get(error.errno or 0, str(error))


def connect(address: str, port: int, source_port: int, device: str) -> Stream:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if device:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    # Two devices, one port: their addresses differ.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(CONNECT_LIMIT_S)
    connection.bind((address_of(device), source_port))
    connection.connect((address, port))
    connection.setblocking(False)
    return Stream(connection, device)


def address_of(device: str) -> str:
    """The device's own address: a port is only free or taken at one."""
    if not device:
        return ""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    probe.connect(("198.51.100.1", 9))
    return probe.getsockname()[0]


def stream(streams: list[Stream], interval: float, stopping: list[bool]) -> None:
    selector = selectors.DefaultSelector()
    for each in streams:
        selector.register(each.connection, selectors.EVENT_READ, each)
    start = time.monotonic()
    due = [(start + interval * index / len(streams), index) for index in range(len(streams))]
    while not stopping[0]:
        now = time.monotonic()
        while due[0][0] <= now:
            at, index = due[0]
            heapq.heapreplace(due, (at + interval, index))
            # The echo of the one before is still missing: the kernel retransmits it.
            if not (streams[index].trouble or streams[index].missing):
                streams[index].send()
        turn(selector, min(0.1, due[0][0] - now))
    for each in streams:
        if not each.trouble:
            each.send()
    deadline = time.monotonic() + LAST_ROUND_S
    while (time.monotonic() < deadline
           and any(each.missing and not each.trouble for each in streams)):
        turn(selector, 0.1)


def turn(selector: selectors.BaseSelector, timeout: float) -> None:
    for key, _ in selector.select(max(0.0, timeout)):
        key.data.receive()
        if key.data.trouble:
            selector.unregister(key.fileobj)


def result(streams: list[Stream]) -> dict:
    broken = {each.name: each.trouble or "silence" for each in streams
              if each.trouble or each.missing}
    return {"streams": len(streams), "alive": len(streams) - len(broken),
            "resets": sum(what in ("ECONNRESET", "EPIPE") for what in broken.values()),
            "broken": broken}


def main() -> None:
    address, port, first, count, interval, path, *devices = sys.argv[1:]
    wanted = int(count) * max(1, len(devices))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 64, wanted + 64))
    stopping = [False]

    def stop(*_: object) -> None:
        stopping[0] = True

    signal.signal(signal.SIGTERM, stop)
    streams = [connect(address, int(port), int(first) + index, device)
               for device in devices or [""] for index in range(int(count))]
    print(f"connected {len(streams)}", flush=True)
    stream(streams, float(interval), stopping)
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump(result(streams), file)
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main()
