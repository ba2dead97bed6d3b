# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a client's session carries: TCP connections to the server (lab/node/bulk.py)."""
from __future__ import annotations

import json

from ...host.node import Node
from ...product.probes import SERVER_ADDRESS
from ..run import Run

DIRECTIONS = ("up", "down")
PORT = 5001
LOG = "/run/lab/bulk.log"
LISTENING_LIMIT_S = 10


def serve(run: Run) -> None:
    """Returns when the server listens."""
    server = run.lab.node("server")
    server.start_tool("bulk.py", "serve", str(PORT), output=LOG)
    run.wait_for("the server listens", lambda: "listening" in (server.read(LOG) or ""),
                 LISTENING_LIMIT_S)


def move(client: Node, direction: str, seconds: int, *mbit: int) -> float:
    """By one connection for so long: the Mbit/s that have arrived. `mbit`: at that rate, if one is
    given."""
    done = json.loads(client.run_tool("bulk.py", "ask", SERVER_ADDRESS, str(PORT), direction,
                                      str(seconds), *map(str, mbit)).stdout)
    return float(done["octets"] * 8 / done["seconds"] / 1e6)


def carried(client: Node, seconds: int, rounds: int) -> dict[str, list[float]]:
    """Mbit/s of each round, by direction."""
    found: dict[str, list[float]] = {direction: [] for direction in DIRECTIONS}
    for _ in range(rounds):
        for direction in DIRECTIONS:
            found[direction].append(round(move(client, direction, seconds), 2))
    return found
