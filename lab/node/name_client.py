# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks a name_server at a fixed rate until SIGTERM, and logs each answer with the node's time.

usage: name_client.py ADDRESS PORT INTERVAL_S LOG

Lines of LOG: `a T_NS NAME`. Each question is a connection of its own, and none waits for another:
one whose SYN was lost would ask again after a second only, the next one asks at once.
"""
from __future__ import annotations

import selectors
import signal
import socket
import sys
import time

# A question that nobody answers within so long is given up.
PATIENCE_S = 0.5


class Asker:
    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._selector = selectors.DefaultSelector()

    def ask(self) -> None:
        stream = socket.socket(self._family, socket.SOCK_STREAM)
        stream.setblocking(False)
        stream.connect_ex(self._target)
        self._selector.register(stream, selectors.EVENT_READ, time.monotonic() + PATIENCE_S)

    def answers(self, until: float) -> list[str]:
        """Names that come before then, at the first of which it returns."""
        found = []
        for key, _ in self._selector.select(max(0.0, until - time.monotonic())):
            assert isinstance(key.fileobj, socket.socket)
            try:
                found.append(key.fileobj.recv(256).decode("ascii", errors="replace").strip())
            except OSError:
                pass
            self._forget(key.fileobj)
        now = time.monotonic()
        for key in list(self._selector.get_map().values()):
            if key.data < now:
                assert isinstance(key.fileobj, socket.socket)
                self._forget(key.fileobj)
        return [name for name in found if name]

    def _forget(self, stream: socket.socket) -> None:
        self._selector.unregister(stream)
        stream.close()


def main() -> None:
    address, port, interval, path = sys.argv[1:]
    stopping = [False]

    def stop(*_: object) -> None:
        stopping[0] = True

    signal.signal(signal.SIGTERM, stop)
    asker, due = Asker(address, int(port)), time.monotonic()
    with open(path, "w", encoding="ascii", buffering=1) as log:
        while not stopping[0]:
            if time.monotonic() >= due:
                asker.ask()
                due = max(due + float(interval), time.monotonic() - float(interval))
            for name in asker.answers(due):
                log.write(f"a {time.time_ns()} {name}\n")


if __name__ == "__main__":
    main()
