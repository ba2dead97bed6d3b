# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of voters changes under a session's traffic: what every such scenario does and expects.

An administrator edits corosync.conf and reloads it; the node that holds the lease changes the
voters one by one.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from ..evidence.expectation import equals
from ..host.node import Node
from ..host.topology import VpnGateway
from .live import Live, begin, off_dc
from .membership import OBSERVED_S, switch_on
from .promise import TAKEOVER_MS, expect_no_gap, expect_only_silence
from .run import Run

VOTERS_S = 10


def standing(live: Live) -> Node:
    """A standby that has power."""
    return next(node for node in live.standbys if node.powered())


def set_members(live: Live, names: Sequence[str]) -> None:
    """The administrator's part, on a standby."""
    live.stack.cluster.set_members(names, by=standing(live))


def wait_voters(live: Live, names: Sequence[str]) -> None:
    """Waits until the holder has changed the voters."""
    live.run.wait_for(f"the voters are {', '.join(names)}", lambda: voters_counted(
        live.stack.daemon_log(live.active), live.stack.gateway) == len(names), VOTERS_S)


def voters_counted(log: str, gateway: VpnGateway) -> int | None:
    """How many there are of a gateway since the last change that the holder's vpnhad logged."""
    wanted = f"event=voters gateway={gateway.name} "
    counts = [line.rpartition(" count=")[2] for line in log.splitlines() if wanted in line]
    return int(counts[-1]) if counts else None


def start_new(live: Live, node: Node) -> None:
    """A machine that no other node knows so far; returns when it is a standby and a
    voter."""
    live.run.step(f"{node.name} is switched on, configured and started")
    switch_on(live, node)
    wait_voters(live, [each.name for each in live.stack.cluster.nodes])


def change_voters(run: Run, act: Callable[[Live, Node], None],
                  before: Callable[[Live], None] = lambda _live: None,
                  calm: Callable[[Live, Node], None] = lambda _live, _new: None) -> None:
    """A session under traffic on gw1 to gw3; a time passes against which `act` is held, with `calm`
    in it, which is none of vpnha's doing; `before` prepares; `act` makes gw4 a voter. Then the
    power of the promoted node is cut: with the votes of the old nodes alone there would be no
    majority."""
    new = run.lab.gateway("gw4")
    # A machine that is bought later.
    new.kill()
    live = begin(run, observe_s=0, members=("gw1", "gw2", "gw3"), place=off_dc)
    live.spare_promoted(new)
    stack = live.stack
    promotions = stack.promotions()
    calm_from = run.lab.now()
    run.observe(OBSERVED_S / 2)
    calm(live, new)
    run.observe(OBSERVED_S / 2)
    calm_until = run.lab.now()
    before(live)
    acted_at = run.lab.now()
    act(live, new)
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.expect("promotions", stack.promotions(), equals(promotions))
    voters = sorted(node.spec.id for node in stack.cluster.nodes)
    powered = [node for node in stack.cluster.nodes if node.powered()]
    run.expect("voters", {node.name: stack.status(node)["lease"]["voters"] for node in powered},
               equals({node.name: voters for node in powered}))
    stack.wait_protected(1)
    stack.cluster.tune()
    successor = live.cut_power(live.active)
    run.observe(2)
    run.expect("granted_by_the_new_voter", stack.status(new)["lease"]["granted"],
               equals(stack.status(successor)["epoch"]))
    seen = live.end()
    client = seen.client("client1")
    expect_no_gap(run, client, (calm_from, calm_until), (acted_at, until))
    expect_only_silence(run, client, TAKEOVER_MS)
