# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnhad-frail in the place of vpnhad: one that dies of a record and hangs at a signal."""
from __future__ import annotations

from collections.abc import Iterable

from ..host.errors import NotFound
from ..host.node import Node
from ..host.stage import BUILD
from ..product.vpnha_stack import DAEMON_PATH

PROGRAM = BUILD / "tests" / "next" / "vpnhad-frail"
# The user whose sessions' records kill it.
POISON = "poison"
HANG = "USR1"


def make_frail(nodes: Iterable[Node]) -> None:
    """Before vpnhad is started there."""
    if not PROGRAM.exists():
        raise NotFound("vpnhad-frail is not built: cmake --workflow --preset release")
    for node in nodes:
        node.put(DAEMON_PATH, PROGRAM.read_bytes(), mode=0o755)
