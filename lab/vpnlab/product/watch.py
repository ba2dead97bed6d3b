# SPDX-License-Identifier: GPL-2.0-or-later
"""When nftables tables and addresses came to a node and went, as its kernel reported it."""
from __future__ import annotations

import dataclasses

from ..host.lab import Lab
from ..host.node import Node

LOG = "/run/lab/ruleset.log"
OUTPUT = "/run/lab/ruleset.out"
START_LIMIT_S = 15.0


@dataclasses.dataclass(frozen=True)
class Seen:
    """At the node's time, which agrees with the host's."""

    t: float
    what: str
    here: bool


def parse_watch(log: str) -> list[Seen]:
    lines = [line.split() for line in log.splitlines()]
    # The last line may be half written.
    return [Seen(int(words[0]) / 1e9, words[2], not words[1].endswith("-gone"))
            for words in lines if len(words) == 3]


class RulesetWatch:
    def __init__(self, lab: Lab, node: Node) -> None:
        """Returns when it watches."""
        self._node = node
        node.start_tool("ruleset_watch.py", LOG, output=OUTPUT)
        lab.wait_for(f"the rules of {node.name} are watched",
                     lambda: "watching" in (node.read(OUTPUT) or ""), START_LIMIT_S)

    def seen(self) -> list[Seen]:
        return parse_watch(self._node.read(LOG) or "")
