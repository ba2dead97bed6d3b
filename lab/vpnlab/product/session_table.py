# SPDX-License-Identifier: GPL-2.0-or-later
"""The library's example program, session-table, on gateways that run Corosync and no Pacemaker, and
a client that puts keys into its table."""
from __future__ import annotations

import json
from collections.abc import Iterable

from ..host.channel import Completed
from ..host.errors import NotFound
from ..host.lab import Lab
from ..host.node import Background, Node
from ..host.stage import BUILD

PROGRAM = BUILD / "tests" / "api" / "session-table"
PATH = "/usr/local/bin/session-table"
GROUP, PORT = "table", "7010"
OUTPUT = "/var/log/session-table"
# The user that corosync lets in, and one that it does not know.
USER, STRANGER = "nobody", "games"
UIDGID = f"/etc/corosync/uidgid.d/{PATH.rpartition('/')[2]}"
TOOL = "table_client.py"
LIMIT_S = 20.0
# Each question starts an interpreter in the client, which shares a core of the host with others.
PAUSE_S = 0.3


class SessionTable:
    """`client` asks; whoever is promoted answers."""

    def __init__(self, lab: Lab, client: Node) -> None:
        self._lab = lab
        self._client = client

    @staticmethod
    def install(node: Node) -> None:
        """Before Corosync starts there: it reads who may speak to it."""
        if not PROGRAM.exists():
            raise NotFound("session-table is not built: cmake --workflow --preset release")
        node.put(PATH, PROGRAM.read_bytes(), mode=0o755)
        node.put(UIDGID, f"uidgid {{\n    uid: {USER}\n    gid: nogroup\n}}\n")

    @staticmethod
    def refused(node: Node, user: str = "root") -> Completed:
        """Runs it where it is expected to end by itself; on any port, as one may run there."""
        return node.run(*_as(user), PATH, GROUP, "0", check=False)

    def start(self, node: Node) -> Background:
        program = node.start(*_as(USER), PATH, GROUP, PORT, stdout=OUTPUT, stderr=OUTPUT)
        self._lab.wait_for(f"session-table of {node.name} answers",
                           lambda: self.state(node), LIMIT_S)
        return program

    def ask(self, node: Node, *words: str) -> str:
        """Empty: no answer."""
        return self._client.run_tool(TOOL, "ask", node.address("outside"), PORT,
                                     *words).stdout.strip()

    def state(self, node: Node) -> dict[str, int]:
        """Empty: no answer."""
        return {name: int(value) for name, value in
                (word.split("=") for word in self.ask(node, "state").split())}

    def wait_state(self, nodes: Iterable[Node], **wanted: int) -> None:
        for node in nodes:
            self._lab.wait_for(f"{node.name} reports {wanted}", lambda: (
                wanted.items() <= self.state(node).items()), LIMIT_S, interval_s=PAUSE_S)

    def promote(self, node: Node) -> None:
        self._lab.wait_for(f"session-table of {node.name} is promoted",
                           lambda: self.ask(node, "promote") == "ok", LIMIT_S, interval_s=PAUSE_S)

    def start_putting(self, node: Node, prefix: str) -> Putting:
        return Putting(self._client, node, prefix)

    def check(self, node: Node, *puts: Putting) -> dict:
        """Of all keys that were answered, as that node has them now."""
        return json.loads(self._client.run_tool(
            TOOL, "check", node.address("outside"), PORT, *(put.path for put in puts)).stdout)


class Putting:
    """Puts new keys, some at a time, until stop()."""

    WIDTH = "4"

    def __init__(self, client: Node, node: Node, prefix: str) -> None:
        self.path = f"/run/lab/{prefix}.json"
        self._client = client
        self._process = client.start_tool(TOOL, "put", node.address("outside"), PORT, prefix,
                                          self.WIDTH, self.path, output=f"/run/lab/{prefix}.out")

    def stop(self) -> int:
        """How many keys were answered."""
        self._process.stop()
        return len(json.loads(self._client.get(self.path))["answered"])


def _as(user: str) -> tuple[str, ...]:
    if user == "root":
        return ()
    # Corosync lets in who has the user or the group.
    group = "nogroup" if user == USER else user
    return ("/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
