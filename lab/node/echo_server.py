# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP echo server for the streams of the clients.

usage: echo_server.py PORT [ADDRESS]

ADDRESS: where it listens; "::" for all of IPv6. Without: all of IPv4.
"""
from __future__ import annotations

import resource
import selectors
import socket
import sys

CHUNK = 1 << 16
# A client that does not read its echo is not read either, beyond this.
PENDING_MAX = 1 << 20
STREAMS_MAX = 8192


class Echo:
    def __init__(self, port: int, address: str = "") -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (STREAMS_MAX, STREAMS_MAX))
        self._selector = selectors.DefaultSelector()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=64)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        print(f"listening on {port}", flush=True)

    def loop(self) -> None:
        while True:
            for key, mask in self._selector.select():
                if key.data is None:
                    self._accept()
                else:
                    self._serve(key, mask)

    def _accept(self) -> None:
        stream, _ = self._listener.accept()
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(stream, selectors.EVENT_READ, bytearray())

    def _serve(self, key: selectors.SelectorKey, mask: int) -> None:
        stream, pending = key.fileobj, key.data
        assert isinstance(stream, socket.socket)
        try:
            if mask & selectors.EVENT_READ:
                data = stream.recv(CHUNK)
                if not data:
                    raise ConnectionError
                pending += data
            if pending:
                del pending[:stream.send(pending)]
        except BlockingIOError:
            pass
        except OSError:
            self._selector.unregister(stream)
            stream.close()
            return
        events = selectors.EVENT_READ if len(pending) < PENDING_MAX else 0
        if pending:
            events |= selectors.EVENT_WRITE
        if events != key.events:
            self._selector.modify(stream, events, pending)


if __name__ == "__main__":
    Echo(int(sys.argv[1]), *sys.argv[2:]).loop()
