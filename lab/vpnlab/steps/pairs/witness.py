# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways and a witness: what their scenarios share."""
from __future__ import annotations

from collections.abc import Callable

from ...evidence.expectation import at_most
from ...host.node import Node
from ...product.cluster import TWO_NODES_WITNESS, Cluster
from ...product.vpnha_stack import VpnhaStack
from ...product.witness import Witness
from ..live import Live, Place, anywhere, begin, off_dc
from ..promise import UNNOTICED_MS, Span, expect_only_silence, worst_gap_ms
from ..run import Run
from .two_nodes import Loss, observed, wait_calm

NODES = ("gw1", "gw2", "wit1", "client1", "server")
DEVICES = ("fencing-duel", "fencing-yield", "fencing")
# The longest silence that the loss of either node may cost where the witness is a few milliseconds
# away.
WITNESS_MS = 450
OBSERVE_S = 3


def begin_with_witness(run: Run, place: Place = anywhere, delay_ms: float = 0,
                       loss_percent: float = 0) -> Live:
    """Two gateways with the topology of stonith/two-nodes-witness.crm, which count a witness among
    their voters; a client's session under traffic. `delay_ms`: a round trip to the witness."""
    witness = Witness(run.lab)
    if delay_ms or loss_percent:
        witness.delay(delay_ms, loss_percent)
    return begin(run, place=place, stack=VpnhaStack(
        run.lab, Cluster(run.lab), fencing=TWO_NODES_WITNESS, witness=witness))


def witness_of(live: Live) -> Witness:
    assert live.stack.witness is not None
    return live.stack.witness


def cut_and_rejoin(live: Live, dead: Node) -> Loss:
    """The power of the promoted node is cut, and it comes back: returns when it is a standby
    again."""
    name = wait_calm(live, dead, DEVICES)
    live.cut_power(dead)
    loss = observed(live, name)
    live.run.step(f"{dead.name} comes back")
    live.stack.rejoin(dead.name)
    live.stack.wait_protected(1)
    live.stack.wait_witness_votes()
    return loss


def cut_standby(live: Live, standby: Node) -> Span:
    """The power of the standby is cut; returns the time of the observation."""
    wait_calm(live, live.stack.wait_promoted(), DEVICES)
    live.run.step(f"power cut of {standby.name}, which is the standby")
    cut_at = live.run.lab.now()
    standby.power_off()
    live.run.wait_for(f"the group has lost {standby.name}", lambda: standby.spec.id not in
                      live.stack.members(live.stack.wait_promoted()), 15)
    live.run.observe(OBSERVE_S)
    return cut_at, live.run.lab.now()


def cut_either(run: Run, limit_ms: float, delay_ms: float = 0, loss_percent: float = 0) -> None:
    """The promoted node of a pair dies, comes back, and the other one dies, which is promoted then,
    and is the cluster's coordinator."""
    live = begin_with_witness(run, off_dc, delay_ms, loss_percent)
    first, second = live.active, live.standbys[0]
    losses = [cut_and_rejoin(live, first), cut_and_rejoin(live, second)]
    standby = second
    span = cut_standby(live, standby)
    live.run.step(f"{standby.name} comes back")
    live.stack.rejoin(standby.name)
    seen = live.end().client("client1")
    for loss in losses:
        run.expect(f"silence_{loss.name}_ms", worst_gap_ms(seen, loss.span), at_most(limit_ms))
    run.expect("silence_standby_dies_ms", worst_gap_ms(seen, span), at_most(UNNOTICED_MS))
    expect_only_silence(run, seen, limit_ms)


def outlive(run: Run, what: str, name: str, act: Callable[[Live, Witness], None],
            look: Callable[[Live], None] = lambda _live: None) -> None:
    """What happens to the witness is nothing to the client while both nodes live; then the promoted
    node dies, and the witness's vote is worth as much as before. `look`: between the two."""
    live = begin_with_witness(run, off_dc)
    dc = wait_calm(live, live.active, DEVICES)
    run.step(what)
    from_s = run.lab.now()
    act(live, witness_of(live))
    until = run.lab.now()
    run.observe(1)
    look(live)
    live.cut_power(live.active)
    loss = observed(live, dc)
    seen = live.end().client("client1")
    run.expect(f"{name}_ms", worst_gap_ms(seen, (from_s, until)), at_most(UNNOTICED_MS))
    run.expect("node_gone_ms", worst_gap_ms(seen, loss.span), at_most(WITNESS_MS))
    expect_only_silence(run, seen, WITNESS_MS)
