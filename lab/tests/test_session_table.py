# SPDX-License-Identifier: GPL-2.0-or-later
"""The client of session-table: which of its keys were answered, and which are wrong."""
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from node import table_client


class Table:
    """Answers as session-table does; of keys that end in 7 nothing is ever confirmed."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = str(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(1024)
            verb, _, rest = data.decode().partition(" ")
            key, _, value = rest.partition(" ")
            if verb == "end":
                return
            if verb == "put" and not key.endswith("7"):
                self.keys[key] = value
                self._socket.sendto(b"ok", client)
            elif verb == "get":
                found = self.keys.get(key)
                self._socket.sendto(b"none" if found is None else f"= {found}".encode(), client)

    def end(self) -> None:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"end", ("127.0.0.1", int(self.port)))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def table() -> Iterator[Table]:
    served = Table()
    yield served
    served.end()


def test_only_what_was_answered_counts(table, tmp_path, capsys):
    out = tmp_path / "keys.json"
    before = signal.getsignal(signal.SIGTERM)
    threading.Thread(target=_end_later, args=(table,)).start()
    table_client.put("127.0.0.1", table.port, "k", "4", str(out))
    signal.signal(signal.SIGTERM, before)
    seen = json.loads(out.read_text())
    assert seen["asked"] >= len(seen["answered"]) >= 20
    assert not [key for key in seen["answered"] if key.endswith("7")]

    table.keys["k-1"] = "another value"
    del table.keys["k-2"]
    capsys.readouterr()
    table_client.check("127.0.0.1", table.port, str(out))
    assert json.loads(capsys.readouterr().out) == {"checked": len(seen["answered"]),
                                                   "wrong": ["k-1", "k-2"]}


def _end_later(table: Table) -> None:
    while len(table.keys) < 20:
        time.sleep(0.01)
    signal.raise_signal(signal.SIGTERM)


def test_nobody_listens():
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert table_client.ask(table_client.connect("127.0.0.1", str(port)), "state") == ""
