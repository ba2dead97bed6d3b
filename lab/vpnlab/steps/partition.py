# SPDX-License-Identifier: GPL-2.0-or-later
"""The promoted node loses the others without dying: what every such scenario does and expects."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from ..evidence.expectation import at_most
from ..host.node import BEHIND_THE_OTHERS, Node
from .live import Live, Place, anywhere, begin
from .promise import TAKEOVER_MS, expect_only_silence
from .run import Run

CLUSTER_LINKS = ("cluster0", "cluster1")
# A lease, and what the observer's clock adds.
SILENT_MS = 400


def lose_the_others(run: Run, cut: Callable[[Node, str], None], links: Sequence[str],
                    place: Place = anywhere, start: Callable[..., Live] = begin,
                    outage_ms: float = TAKEOVER_MS) -> None:
    """Sessions under traffic; the promoted node's links are cut, and another node serves. The
    clients see a silence and nothing else, and nobody receives from two gateways. `start`: begin(),
    or what has other clients."""
    live = start(run, place=place)
    # It lives on a core of its own in life; here, not on that of those who take over.
    live.active.prefer(BEHIND_THE_OTHERS)
    run.step(f"{live.active.name}, which is promoted, loses the others")
    for link in links:
        cut(live.active, link)
    live.stack.wait_promoted(node.name for node in live.standbys)
    for client in live.clients:
        live.wait_answered(client)
    run.observe(2)
    cut_at = run.lab.faults[-1].t
    seen = live.end()
    spoke_until = max((each.end for each in seen.ownerships
                       if each.node == live.active.name and each.start <= cut_at),
                      default=cut_at)
    run.expect("silent_after_ms", round(max(0.0, spoke_until - cut_at) * 1000), at_most(SILENT_MS))
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), outage_ms)
