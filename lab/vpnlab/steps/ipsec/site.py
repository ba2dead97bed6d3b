# SPDX-License-Identifier: GPL-2.0-or-later
"""A site that the gateways have begun to speak with: the power of the one that serves is cut under
traffic of both directions."""
from __future__ import annotations

import functools

from ...evidence.expectation import at_least, at_most, equals
from ...product.cluster import Cluster
from ...product.probes import Pinger
from ...product.sites.ipsec_site import Site, SitePeer, SiteStack
from ..live import begin, off_dc
from ..promise import PINGS_PER_S, POWER_CUT_MS, expect_only_silence, gap_ms, worst_gap
from ..run import Run

PEER = "client1"
BEFORE_S, AFTERWARDS_S = 3, 5


class Sender:
    """The server, which sends to the site's host until it is stopped."""

    def __init__(self, run: Run, site: Site) -> None:
        self._run = run
        self._site = site
        self._pinger: Pinger | None = None
        self.answers: list[float] = []

    def begin(self) -> None:
        self._pinger = Pinger(self._run.lab.node("server"), self._site.host)

    def stop(self) -> None:
        assert self._pinger is not None
        self.answers = self._pinger.stop()


def cut_power_of_site(run: Run, site: Site) -> None:
    peer = run.lab.node(PEER)
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=SiteStack(run.lab, Cluster(run.lab), site, peer))
    sender = Sender(run, site)
    run.step(f"the server sends to {site.host}, and {live.active.name} begins")
    live.dial(PEER, dialler=functools.partial(SitePeer, site=site, wake=sender.begin,
                                              sleep=sender.stop))
    run.observe(BEFORE_S)
    cut_at = run.lab.now()
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    until = run.lab.now()
    seen = live.end()
    expect_only_silence(run, seen.client(PEER), POWER_CUT_MS)
    # What the server asks is answered by another host, and through the policies of the way in.
    run.expect("server_answers_after_the_cut",
               sum(cut_at < answer < until for answer in sender.answers), at_least(PINGS_PER_S))
    run.expect("server_outage_ms", gap_ms(worst_gap(sender.answers, (cut_at, until))),
               at_most(POWER_CUT_MS))
    run.expect("sessions_made", len(live.client.dialled()), equals(1))
