# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby serves in place of a promoted node that does not answer: hands and expectations of the
scenarios in which it does."""
from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from ..evidence.expectation import equals
from ..host.cores import before_all_nodes
from ..host.node import Node
from ..host.power import NODE_TOKEN_FILE
from ..product.vpnha_stack import VpnhaStack
from .live import Live
from .run import Run

# A handover to the node that Pacemaker promotes, and what shares its core meanwhile.
HANDOVER_MS = 250
STAND_IN_LIMIT_S = 10
SCORE_LIMIT_S = 20
STAND_IN = "event=stand-in "
ASKS = "event=stand-in-asks "
ANNOUNCED = "event=stand-in-announced "
ENDED = "event=stand-in-ended "
# Of the standby that is first in rank.
FIRST_SCORE = " promotion score 101 "


def first_in_rank(run: Run, stack: VpnhaStack, standbys: Sequence[Node]) -> Node:
    """The standby that is to ask first; waits until it has written so, which it does in calm
    times only. Read on the host, as all below."""
    def is_first(node: Node) -> bool:
        written = [line for line in stack.daemon_log(node).splitlines()
                   if line.endswith(f"event=score resource={stack.resource}")]
        return bool(written) and FIRST_SCORE in written[-1]
    return run.wait_for("a standby is the first to stand in",
                        lambda: next((node for node in standbys if is_first(node)), None),
                        SCORE_LIMIT_S)


def stand_still(nodes: Sequence[Node], seconds: float) -> None:
    """All of them freeze for so long. Whoever is thawed first would keep the lab from thawing the
    others."""
    with before_all_nodes():
        for node in nodes:
            node.freeze()
        time.sleep(seconds)
        for node in nodes:
            node.thaw()


def wait_stands_in(live: Live, among: Sequence[Node]) -> Node:
    """Waits until one of the nodes stands in, and returns it."""
    return live.run.wait_for("a standby stands in", lambda: next((
        node for node in among if STAND_IN in live.stack.daemon_log(node)), None), STAND_IN_LIMIT_S)


def expect_stood_in(live: Live, *wanted: Node) -> None:
    """Who stood in in the present boots of all nodes, one entry for each time."""
    live.run.expect("stood_in", sorted(
        node.name for node in live.run.lab.gateways
        for _ in range(live.stack.daemon_log(node).count(STAND_IN))),
        equals(sorted(node.name for node in wanted)))


@contextlib.contextmanager
def power_switch_refuses(nodes: Sequence[Node]) -> Iterator[None]:
    """The nodes' password for the power switch is a wrong one meanwhile. A node that loses its
    power meanwhile has none."""
    tokens = [node.get(NODE_TOKEN_FILE) for node in nodes]
    for node in nodes:
        node.put(NODE_TOKEN_FILE, "wrong\n", mode=0o600)
    try:
        yield
    finally:
        for node, token in zip(nodes, tokens):
            if node.powered():
                node.put(NODE_TOKEN_FILE, token, mode=0o600)
