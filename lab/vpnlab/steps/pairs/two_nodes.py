# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes alone, with the topology of stonith/two-nodes.crm: what their scenarios share."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...evidence.expectation import at_most, equals
from ...evidence.result import ClientResult
from ...host.node import Node
from ...host.power import power_events
from ..live import Live
from ..partition import CLUSTER_LINKS
from ..promise import PAIR_MS, Span, expect_only_silence, worst_gap_ms
from ..run import Run

DEVICES = ("fencing-yield", "fencing", "fencing-confirm")
CALM_S = 2
# After a silence has ended; for as long the node that waits could still shoot, too.
OBSERVE_S = 3
FENCED_LIMIT_S = 10


@dataclasses.dataclass(frozen=True)
class Loss:
    """Whether the promoted node was the cluster's coordinator, and when the loss was observed."""

    name: str
    span: Span


def observed(live: Live, name: str) -> Loss:
    """The loss that the last fault was, when all is well again."""
    begin = live.run.lab.faults[-1].t
    live.run.observe(OBSERVE_S)
    return Loss(name, (begin, live.run.lab.now()))


def wait_calm(live: Live, promoted: Node, devices: Sequence[str] = DEVICES) -> str:
    """Waits until both nodes have all fencing devices and a calm time has passed: a coordinator
    that is at work when it loses a node thinks about it a second later. Returns whether the
    promoted node is it: "dc" or "not_dc"."""
    status = live.stack.cluster.wait_status(
        "both nodes have all fencing devices",
        lambda status: all(len(status.on(device)) == 2 for device in devices))
    live.wait_answered()
    live.run.observe(CALM_S)
    return "dc" if status.dc == promoted.name else "not_dc"


def lose_each_other(live: Live, devices: Sequence[str] = DEVICES) -> Loss:
    """The cluster links of the promoted node are cut. Returns when the standby was switched off,
    and the links are mended."""
    standby = live.standbys[0]
    name = wait_calm(live, live.active, devices)
    live.run.step(f"{live.active.name}, which is promoted ({name}), and {standby.name} lose each "
                  "other")
    for link in CLUSTER_LINKS:
        live.active.link_down(link)
    live.run.wait_for(f"{standby.name} is switched off", lambda: not standby.powered(),
                      FENCED_LIMIT_S)
    live.wait_answered()
    loss = observed(live, name)
    for link in CLUSTER_LINKS:
        live.active.link_up(link)
    return loss


def lose_each_other_twice(live: Live, devices: Sequence[str] = DEVICES) -> list[Loss]:
    """The promoted node is not the coordinator, and then it is. Only the standby is switched off,
    and the promoted node serves on, with its session."""
    run, standby = live.run, live.standbys[0]
    promotions = live.stack.promotions()
    losses = [lose_each_other(live, devices)]
    run.step(f"{standby.name} comes back")
    live.stack.rejoin(standby.name)
    live.stack.wait_protected(1)
    losses.append(lose_each_other(live, devices))
    run.expect("promoted_node", [loss.name for loss in losses], equals(["not_dc", "dc"]))
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    run.expect("switched_off", [event.node for event in power_events(run.lab)],
               equals([standby.name, standby.name]))
    run.expect("sessions", len(live.stack.sessions(live.active)), equals(1))
    return losses


def expect_silences(run: Run, seen: ClientResult, losses: Sequence[Loss]) -> None:
    """A silence after each loss, and nothing else. On a calm host it is 2.8 s: 0.65 s until
    Corosync has noticed, 1.7 s until the power device may begin (mode=yield), and 0.4 s for power,
    the confirmation and the promotion."""
    for loss in losses:
        run.expect(f"silence_{loss.name}_ms", worst_gap_ms(seen, loss.span), at_most(PAIR_MS))
    expect_only_silence(run, seen, PAIR_MS)
