# SPDX-License-Identifier: GPL-2.0-or-later
"""A standby goes or comes, and no client notices: with the tuned token, and with Corosync's own."""
from __future__ import annotations

from collections.abc import Callable

from ..evidence.expectation import equals, is_empty
from ..host.node import BEHIND_THE_OTHERS, Node
from ..product.cluster import Cluster
from .live import LOST_LIMIT_S, Live, begin, off_dc
from .promise import expect_unnoticed
from .run import Run

OBSERVED_S = 8.0
JOIN_S = 60.0
PROTECTED_LIMIT_S = 20

Token = Callable[[Cluster], None]


def switch_on(live: Live, node: Node) -> None:
    """A machine that has no power starts; returns when it is a standby with a complete
    replica."""
    # It has a core of its own in life; here it gets what the others leave.
    live.run.lab.power_on(node.name, nice=BEHIND_THE_OTHERS)
    live.stack.configure(node)
    live.stack.cluster.start(node)
    live.stack.wait_complete(node, JOIN_S)


def unnoticed(run: Run, token: Token, act: Callable[[Run, Live, Node], None],
              before: Callable[[Run, Live, Node], None] | None = None) -> None:
    """A session under traffic; `before` prepares a standby, a calm time passes, `act` happens to
    it; held against the calm time. The third node is the cluster's DC: nodes of the lab have one
    core, and what Pacemaker does there is not to be measured."""
    observe_s = OBSERVED_S if token is Cluster.tune else LOST_LIMIT_S
    live = begin(run, place=off_dc, observe_s=0)
    live.spare_promoted()
    standby = live.plain_standby
    if before is not None:
        before(run, live, standby)
    token(live.stack.cluster)
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(observe_s)
    acted_at = run.lab.now()
    act(run, live, standby)
    run.observe(observe_s)
    until = run.lab.now()
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    run.expect("served_by_others", [owner.node for owner in seen.owners
                                    if owner.t > calm_from], is_empty())
    expect_unnoticed(run, seen.client("client1"), (calm_from, acted_at), (acted_at, until))


def cut_power(run: Run, token: Token) -> None:
    def act(run: Run, live: Live, standby: Node) -> None:
        kept = next(node for node in live.standbys if node is not standby)
        run.step(f"power cut of {standby.name}, a standby")
        live.lose(standby)
        live.stack.wait_protected(1, deadline_s=PROTECTED_LIMIT_S)
        run.expect("standbys", live.stack.status(live.active)["standbys"],
                   equals([kept.spec.id]))
    unnoticed(run, token, act)


def leave(run: Run, token: Token) -> None:
    def act(run: Run, live: Live, standby: Node) -> None:
        run.step(f"{standby.name}, a standby, shuts down")
        live.stack.cluster.leave(standby)
        standby.power_off()
    unnoticed(run, token, act)


def join(run: Run, token: Token) -> None:
    def before(run: Run, live: Live, standby: Node) -> None:
        run.step(f"{standby.name}, a standby, has no power")
        live.lose(standby)

    def act(run: Run, live: Live, standby: Node) -> None:
        run.step(f"{standby.name} is switched on")
        switch_on(live, standby)
    unnoticed(run, token, act, before)
