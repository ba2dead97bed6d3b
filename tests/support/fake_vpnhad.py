# SPDX-License-Identifier: GPL-2.0-or-later
"""A vpnhad of a test: a control socket that answers each verb as it is ordered to, and the answers
that docs/reference/control-protocol.md has."""
from __future__ import annotations

import json
import re
import socket
import struct
import threading
from pathlib import Path
from typing import Any

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "reference" / "control-protocol.md"
HANGS: dict = {}


def documented(verb: str) -> Any:
    """The example of a verb's result, a new one each time."""
    found = re.search(rf"^`{verb}`.*?^```json\n(.*?)^```$", PROTOCOL.read_text("utf-8"),
                      re.MULTILINE | re.DOTALL)
    assert found is not None
    return json.loads(found[1])


class Vpnhad:
    """Answers each verb with its result or error; remembers what it was asked."""

    def __init__(self, path: Path, answers: dict[str, object]) -> None:
        self.asked: list[tuple[str, dict]] = []
        self._answers = answers
        self._closed = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The thread closes the listener. Closed from here, its descriptor could be the next
        listener's before the thread is in accept(), which would then take that one's clients."""
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        with self._listener:
            self._accept()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                while head := stream.read(4):
                    request = json.loads(stream.read(struct.unpack(">I", head)[0]))
                    self.asked.append((request["verb"], request["arguments"]))
                    answer = self._answer(request["verb"])
                    if answer is None:
                        break
                    if answer is HANGS:
                        self._closed.wait()
                        break
                    text = json.dumps(answer).encode()
                    client.sendall(struct.pack(">I", len(text)) + text)

    def _answer(self, verb: str) -> dict | None:
        answer = self._answers.get(verb, {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, str):
            code, _, detail = answer.partition(": ")
            if code == "hangs":
                return HANGS
            return None if code == "dies" else {
                "version": 1, "ok": False, "error": {"code": code, "detail": detail}}
        return {"version": 1, "ok": True, "result": answer}
