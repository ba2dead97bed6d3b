# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenario of every played client: it outlives a power cut, a planned move, and a power cut at
a bad moment of its own. Who it is, is data (lab/clients.toml)."""
from __future__ import annotations

from ...evidence.expectation import at_least, at_most, equals, is_true
from ...evidence.result import ClientResult
from ...host.node import Node
from ...host.topology import NAT
from ...product.cluster import Cluster
from ...product.clients import shipped
from ...product.clients.player import counted, dialler_of
from ...product.clients.profile import MARKS, Play, Profile, profiles
from ...product.ipsec_gateway import configure_gateway
from ...product.sites.home import start_nat
from ...product.vpnha_stack import VpnhaStack
from ..ipsec.childless import established
from ..live import Live, begin, off_dc
from ..promise import (NEW_SESSION, NOT_OF, PINGS_PER_S, PLANNED_MS, POWER_CUT_MS, TAKEOVER_MS,
                       Span, expect_no_gap, worst_gap_ms)
from ..run import Run
from .moments import MOMENTS
from .routers import send_frames

BEFORE_S, AFTERWARDS_S = 3, 3
# docs/use/clients.md: room for ESP in UDP around L2TP around PPP.
PPP_OF_GATEWAY = ("mtu 1280", "mru 1280")
# charon's own, where a profile has none.
RETRANSMIT_S, RETRANSMIT_BASE = 4.0, 1.8


class PlayedStack(VpnhaStack):
    """Gateways of a site with the shipped connections. A client that knows nothing else than a
    group of 1024 bits has its own one by name; who comes from any port has no marks."""

    def __init__(self, run: Run, play: Play) -> None:
        super().__init__(run.lab, Cluster(run.lab), ipsec=True, ppp=PPP_OF_GATEWAY)
        first = play.texts("ike_proposals", ("",))[0]
        self._named = first if first.endswith("modp1024") else ""
        self._is_marked = play.settings.get("selector") != "udp"

    def configure(self, node: Node) -> None:
        super().configure(node)
        configure_gateway(node, self.gateway, marked=self._is_marked,
                          lifetimes=shipped.lifetimes(), mobike=shipped.mobike(),
                          offers=shipped.offers(self._named))


def outlive(run: Run, key: str) -> None:
    """`key`: of the profile."""
    profile = profiles()[key]
    play = profile.play
    assert play is not None
    run.step(claim(profile))
    if NAT in run.lab.nodes:
        start_nat(run.lab)
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=None if profile.protocol == "l2tp" else PlayedStack(run, play))
    client = live.dial("home1" if play.behind_nat else "client1", dialler=dialler_of(profile))
    run.observe(BEFORE_S)
    cut = power_cut(live, profile)
    calm, moved = live.move_role(live.active)
    amid = MOMENTS[play.moment](live, profile)
    headers = counted(client.node) if play.texts("header_bits") else None
    set_up = established(client.node)
    seen = live.end()

    found = seen.client(client.name)
    run.expect("power_cut_ms", worst_gap_ms(found, cut), at_most(POWER_CUT_MS))
    expect_no_gap(run, found, calm, moved, PLANNED_MS)
    run.expect(f"amid_{play.moment}_ms", worst_gap_ms(found, amid), at_most(amid_limit_ms(profile)))
    if profile.protocol != "l2tp":
        run.expect("ike_sas_set_up", set_up, equals(1))
    if headers is not None:
        run.expect("l2tp_packets", headers["came"], at_least(PINGS_PER_S))
        run.expect("l2tp_packets_with_other_bits", headers["lost"], equals(0))
    expect_the_same_session(run, found, len(client.dialled()))


def claim(profile: Profile) -> str:
    """What is played, and what is not, for the output of a run."""
    play = profile.play
    assert play is not None
    weak = sorted({profile.mark_of(value) for value in play.taken.values()} - {"src", "doc"})
    marks = "".join(f"; some of its values are {MARKS[mark]}" for mark in weak)
    chosen = f"; chosen by the lab: {', '.join(sorted(play.chosen))}" if play.chosen else ""
    return (f"played by {', '.join(play.by)}, not the real client: {profile.name}{marks}{chosen}; "
            f"not played: {'; '.join(play.not_played)}")


def power_cut(live: Live, profile: Profile) -> Span:
    """Returns when the gateway that died is a standby again."""
    begun = live.run.lab.now()
    successor = live.cut_power(live.active)
    live.stack.wait_protected(1)
    send_frames(live, successor, profile)
    live.run.observe(AFTERWARDS_S)
    until = live.run.lab.now()
    live.stack.rejoin(live.active.name)
    live.stack.wait_protected(1)
    return begun, until


def amid_limit_ms(profile: Profile) -> float:
    """A client of IKEv2 that has asked for a CHILD SA may receive nothing until it has repeated its
    request, the second time at the latest (docs/explain/ipsec.md)."""
    play = profile.play
    assert play is not None
    if profile.protocol != "ikev2" or play.moment != "rekey":
        return TAKEOVER_MS
    first = play.number("retransmit_timeout_s", RETRANSMIT_S)
    second = first * play.number("retransmit_base", RETRANSMIT_BASE)
    return TAKEOVER_MS + round((first + second) * 1000)


def expect_the_same_session(run: Run, found: ClientResult, dialled: int) -> None:
    """From the first fault on. Of IKE, only its rekey was spoken."""
    run.expect("dialled", dialled, equals(1))
    for name in (*NEW_SESSION, "tcp_resets"):
        if name != "ike_exchanges" and name not in NOT_OF.get(found.protocol, ()):
            run.expect(name, getattr(found, name), equals(0))
    run.expect("tcp_intact", found.tcp_intact, is_true())
    run.expect("pings_sent", found.pings_sent, at_least(PINGS_PER_S))
