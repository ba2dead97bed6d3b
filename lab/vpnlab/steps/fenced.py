# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node is fenced by the marks of the others while it lives: what every such scenario
does and expects."""
from __future__ import annotations

import re
from collections.abc import Callable

from ..evidence.expectation import equals, is_empty
from ..host.node import Node
from ..host.power import power_events
from ..host.state import text_of
from ..product.cluster import FENCE_VPNHA_FIRST
from .live import Live, begin
from .promise import TAKEOVER_MS, expect_only_silence
from .run import Run

RESET_LIMIT_S = 30
RESET = "reboot: Restarting system"  # The last word of its kernel.
STARTED = re.compile(r"Result of start operation for (?:checkpoint|xl2tpd) on \S+: ok")


def agent_starts(node: Node) -> int:
    """Of vpnha's resources, in all boots of the node."""
    return sum(len(STARTED.findall(text_of(directory / "pacemaker" / "pacemaker.log")))
               for directory in node.log_directories())


def wait_reset(run: Run, victim: Node) -> None:
    """Waits until the marked node has reset itself. Here it stays off then, until the lab switches
    it on."""
    run.wait_for(f"{victim.name} has reset itself", lambda: not victim.powered(), RESET_LIMIT_S)
    victim.reap()
    run.expect("resets", victim.console.read_text(errors="replace").count(RESET), equals(1))


def fence_promoted(run: Run, first: Callable[[Live], None] = lambda _live: None,
                   afterwards: Callable[[Live], None] = lambda _live: None,
                   returned: Callable[[Live], None] = lambda _live: None) -> None:
    """A session under traffic; a standby has the promoted node fenced. Another node serves, the
    victim resets itself. `first` happens just before, `afterwards` when another node serves,
    `returned` when the victim is a standby again."""
    live = begin(run, fencing=FENCE_VPNHA_FIRST)
    victim, starts = live.active, agent_starts(live.active)
    run.step(f"{live.plain_standby.name} has {victim.name}, which is promoted, fenced")
    first(live)
    request = live.plain_standby.fence(victim)
    live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    run.expect("stonith_admin", request.wait(), equals(0))
    afterwards(live)
    wait_reset(run, victim)
    run.expect("agent_starts_on_the_fenced_boot", agent_starts(victim) - starts, equals(0))
    run.expect("power_switched_off", [each.node for each in power_events(run.lab)
                                      if each.action != "on"], is_empty())
    run.step(f"{victim.name} comes back")
    live.stack.rejoin(victim.name)
    live.stack.wait_protected(1)
    returned(live)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
