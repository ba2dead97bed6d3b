# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's power service: what a rack's power distribution unit is to a real cluster.

A process of its own inside the lab's namespace, so that no work of a scenario delays it, and it
ends with the lab. It listens on the management network and answers one line per connection:

    TOKEN ACTION NODE        ACTION: off on reboot status list ("-" for NODE)
    ok [TEXT] | failed TEXT

What it did stands in power.log of the lab's state directory, one JSON object per line, with the
host's time.
"""
from __future__ import annotations

import contextlib
import dataclasses
import hmac
import json
import os
import secrets
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

from .compiled import compiled
from .errors import LabError
from .lab import Lab
from .state import StateDirectory
from .topology import MANAGEMENT_HOST

PORT = 7002
LOG_FILE = "power.log"
TOKEN_FILE = "power.token"
# Inside the nodes.
NODE_TOKEN_FILE = "/etc/fence_lab.token"
AGENT_PATH = "/usr/sbin/fence_lab"
AGENT_SOURCE = Path(__file__).resolve().parents[2] / "power" / "fence_lab.c"
REQUEST_MAX = 256
START_LIMIT_S = 10.0


@dataclasses.dataclass(frozen=True)
class PowerEvent:
    """`t` and `done` are the host's time in seconds since 1970, of request and answer."""

    t: float
    done: float
    action: str
    node: str
    answer: str


class PowerControl:
    """Decides on requests; nothing of the network in it."""

    def __init__(self, lab: Lab, token: str) -> None:
        self._lab = lab
        self._token = token
        self._busy = threading.Lock()

    def answer(self, line: str) -> str:
        token, _, request = line.partition(" ")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return "failed wrong token"
        action, _, name = request.partition(" ")
        started = time.time()
        try:
            text = self._perform(action, name)
        except LabError as error:
            text = f"failed {error}"
        if action in ("off", "on", "reboot"):
            self._log(PowerEvent(started, time.time(), action, name, text))
        return text

    def _perform(self, action: str, name: str) -> str:
        if action == "list":
            return "ok " + " ".join(node.name for node in self._lab.gateways)
        node = self._lab.gateway(name)
        if action == "status":
            return "ok on" if node.powered() else "ok off"
        if action not in ("off", "on", "reboot"):
            return f"failed unknown action {action}"
        with self._busy:
            if action in ("off", "reboot"):
                node.kill()
            if action in ("on", "reboot") and not node.powered():
                self._lab.power_on(name, wait=False)
        return "ok"

    def _log(self, event: PowerEvent) -> None:
        with open(StateDirectory(self._lab.name).path / LOG_FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(event)) + "\n")


class _Handler(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        line = self.rfile.readline(REQUEST_MAX).decode("ascii", errors="replace").strip()
        answer = self.server.control.answer(line)  # type: ignore[attr-defined]
        self.wfile.write(answer.replace("\n", " ").encode() + b"\n")


class PowerServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], control: PowerControl) -> None:
        self.control = control
        super().__init__(address, _Handler)


def fence_agent() -> Path:
    """The compiled fence agent, kept with the kernels under its source's hash."""
    return compiled(AGENT_SOURCE, "-static")


def start_power_service(lab: Lab) -> None:
    """Starts the service of a lab that is up, unless it runs, and returns when it answers."""
    if _answers(lab):
        return
    state = StateDirectory(lab.name).path
    token = state / TOKEN_FILE
    with open(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
              encoding="ascii") as file:
        file.write(secrets.token_hex(16))
    here = Path(__file__).resolve().parents[2]
    with open(state / "power.stderr", "wb") as errors:
        service = subprocess.Popen(
            [*lab.namespace.prefix(), "chrt", "--rr", "1", sys.executable, "-m",
             "vpnlab.host.power", lab.name],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, cwd="/",
            start_new_session=True, env={**os.environ, "PYTHONPATH": str(here)})
    deadline = time.monotonic() + START_LIMIT_S
    while not _answers(lab):
        if service.poll() is not None or time.monotonic() > deadline:
            raise LabError("the lab's power service does not start: "
                           + (state / "power.stderr").read_text(errors="replace"))
        time.sleep(0.02)


def _answers(lab: Lab) -> bool:
    with contextlib.suppress(OSError):
        lab.namespace.connect(MANAGEMENT_HOST, PORT, 1.0).close()
        return True
    return False


def node_files(lab: Lab) -> dict[str, tuple[bytes, int]]:
    """What a node needs to fence others: path, then content and mode."""
    token = (StateDirectory(lab.name).path / TOKEN_FILE).read_bytes()
    return {NODE_TOKEN_FILE: (token, 0o600), AGENT_PATH: (fence_agent().read_bytes(), 0o755)}


def power_events(lab: Lab) -> list[PowerEvent]:
    """What the service did so far."""
    try:
        text = (StateDirectory(lab.name).path / LOG_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [PowerEvent(**json.loads(line)) for line in text.splitlines()]


def main() -> None:
    lab = Lab.join(sys.argv[1])
    token = (StateDirectory(lab.name).path / TOKEN_FILE).read_text("ascii").strip()
    with PowerServer((MANAGEMENT_HOST, PORT), PowerControl(lab, token)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
