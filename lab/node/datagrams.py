# SPDX-License-Identifier: GPL-2.0-or-later
"""One UDP flow that is refreshed seldom.

usage: datagrams.py serve PORT SIZE LOG
       datagrams.py ask ADDRESS PORT SOURCE_PORT INTERVAL_S LOG

The server answers what it gets, with SIZE octets at least, and on SIGUSR1 speaks first, to the peer
that sent last. The client asks each INTERVAL_S, and no more after SIGUSR1. Lines of LOG:
`r T_NS ADDRESS PORT TEXT` received, `s T_NS ADDRESS PORT TEXT` sent, `e T_NS ERRNO` not sent.
"""
from __future__ import annotations

import select
import signal
import socket
import sys
import time


class Peer:
    def __init__(self, local: tuple[str, int], path: str) -> None:
        self.log = open(path, "w", encoding="ascii", buffering=1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(local)
        self.socket.setblocking(False)
        self.signalled = False
        signal.signal(signal.SIGUSR1, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.signalled = True

    def send(self, text: str, to: tuple[str, int]) -> None:
        try:
            self.socket.sendto(text.encode(), to)
            self.log.write(f"s {time.time_ns()} {to[0]} {to[1]} {text}\n")
        except OSError as error:
            self.log.write(f"e {time.time_ns()} {error.errno}\n")

    def receive(self, timeout: float) -> tuple[str, tuple[str, int]] | None:
        if not select.select([self.socket], [], [], timeout)[0]:
            return None
        data, peer = self.socket.recvfrom(2048)
        self.log.write(f"r {time.time_ns()} {peer[0]} {peer[1]} {data.decode()}\n")
        return data.decode(), peer


def serve(port: str, size: str, path: str) -> None:
    peer, last = Peer(("", int(port)), path), None
    print("listening", flush=True)
    while True:
        received = peer.receive(0.1)
        if received is not None:
            last = received[1]
            peer.send(f"answer-{received[0]}".ljust(int(size), "."), last)
        if peer.signalled and last is not None:
            peer.signalled = False
            peer.send("server-first", last)


def ask(address: str, port: str, source_port: str, interval: str, path: str) -> None:
    peer, number, due = Peer(("", int(source_port)), path), 0, time.monotonic()
    while True:
        if not peer.signalled and time.monotonic() >= due:
            peer.send(f"ask-{number}", (address, int(port)))
            number, due = number + 1, due + float(interval)
        peer.receive(0.1)


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
