# SPDX-License-Identifier: GPL-2.0-or-later
"""Something on the promoted node dies, and its machine continues: what every such scenario does and
expects."""
from __future__ import annotations

import re
from collections.abc import Callable

from ...host.node import Node
from ...host.state import text_of
from ..live import Live, begin
from ..promise import expect_only_silence
from ..run import Run

PROMOTED_S = 20
FAILED_MONITOR = re.compile(r"Result of monitor operation for checkpoint on \S+: error")
# Failure-timeout of the template, and what Pacemaker takes to heed it.
DAEMON_BACK_S = 75


def strike(run: Run, what: str, act: Callable[[Node], None], apart: bool = False) -> Live:
    """A session under traffic; something happens to its node, and another one serves. `apart`: it
    works while the next one is promoted, and does not share a core of the host with it."""
    live = begin(run)
    if apart:
        live.spare_promoted()
    run.step(f"{what} of {live.active.name}, which is promoted")
    act(live.active)
    live.stack.wait_promoted((node.name for node in live.standbys), PROMOTED_S)
    live.wait_answered()
    run.observe(2)
    return live


def strike_daemon(run: Run, what: str, act: Callable[[Node], None]) -> Live:
    """The same of its vpnhad; the node is a standby in sync again by itself."""
    live = strike(run, what, act, apart=True)
    live.stack.wait_in_sync(deadline_s=DAEMON_BACK_S)
    live.stack.wait_protected(1)
    return live


def expect_moved(run: Run, live: Live, outage_ms: float) -> None:
    """All hang up; the client saw a silence and nothing else."""
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), outage_ms)


def failures(node: Node) -> int:
    """How often Pacemaker has found the node's vpnhad dead, whether it remembers or not."""
    return sum(len(FAILED_MONITOR.findall(text_of(directory / "pacemaker" / "pacemaker.log")))
               for directory in node.log_directories())
