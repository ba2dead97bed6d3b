# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenarios of PPTP begin and end with: pptpd in place of xl2tpd, clients with MPPE-128 under
traffic, or without MPPE; in the end no client was notified, and nothing was in the clear
that should not have been."""
from __future__ import annotations

from collections.abc import Sequence

from ..evidence.capture_invariants import cleartext_pptp, pptp_hang_ups
from ..evidence.expectation import equals, is_empty
from ..evidence.measure import Measured
from ..host.topology import L2TP, NAT
from ..product.cluster import Cluster
from ..product.dialler import PPTP, MakeDialler
from ..product.pptp_client import ClearPptpDialler, PptpDialler
from ..product.sites.home import start_nat
from ..product.vpnha_stack import VpnhaStack
from .live import Live, Place, anywhere, begin
from .promise import POWER_CUT_MS, Span, expect_only_silence
from .run import Run


def begin_pptp(run: Run, place: Place = anywhere, observe_s: float = 3.0,
               clients: Sequence[str] = ("client1",), mppe: bool = True,
               ppp: Sequence[str] = (), router: str = "",
               resume_scripts: bool = False, dialler: MakeDialler | None = None,
               common_pool: str = "") -> Live:
    """They are dialled in, protected, and make traffic. `ppp`: further options of the gateway's
    pppds. `router`: by which answers leave outside; the node between home and outside is it then,
    and no NAT. `resume_scripts`: pppd's scripts run for resumed calls. `dialler`: the clients', if
    not the stock one. `common_pool`: vpnhad gives them their addresses from there."""
    if NAT in run.lab.nodes and not router:
        start_nat(run.lab)
    stack = VpnhaStack(run.lab, Cluster(run.lab), pptp=True, mppe=mppe, ppp=ppp, router=router,
                       waiting=(L2TP,) if run.waiting else (),
                       resume_scripts=resume_scripts, common_pool=common_pool)
    live = begin(run, clients=(), place=place, observe_s=0, stack=stack)
    live.dial_all(dict.fromkeys(clients, dialler or (PptpDialler if mppe else ClearPptpDialler)))
    run.observe(observe_s)
    return live


def cut_power_unhurt(run: Run, live: Live, afterwards_s: float = 5.0) -> Measured:
    """The power of the promoted node is cut, another one continues; then the clients hang up. To
    each of them it was a silence and nothing else."""
    cut_at = run.lab.now()
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    run.observe(afterwards_s)
    until = run.lab.now()
    seen = live.end()
    expect_unhurt(run, live, seen, POWER_CUT_MS, (cut_at, until))
    return seen


def expect_unhurt(run: Run, live: Live, seen: Measured, outage_ms: float, span: Span) -> None:
    """Each client saw a silence and nothing else."""
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), outage_ms)
    expect_no_hang_ups(run, live, span)


def expect_no_hang_ups(run: Run, live: Live, span: Span) -> None:
    """In the span nothing that ends a call was sent to a client, and in the whole run not one
    packet of a user in the clear, if the client has MPPE."""
    for client in live.clients:
        outside, vip = client.files.outside, client.gateway.vip_outside
        run.expect(f"{client.name}_hung_up_by", pptp_hang_ups(outside, vip, span), is_empty())
        if client.protocol == PPTP:
            run.expect(f"{client.name}_in_the_clear", cleartext_pptp(outside, vip), equals(0))
