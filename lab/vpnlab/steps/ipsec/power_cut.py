# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenario that the power cuts of IPsec are, except what the clients speak."""
from __future__ import annotations

from collections.abc import Mapping

from ...evidence.expectation import at_least
from ...evidence.replay import Eavesdropper
from ...host.topology import L2TP, NAT
from ...product.dialler import MakeDialler
from ...product.sites.home import start_nat
from ..live import begin, off_dc
from ..promise import POWER_CUT_MS, expect_only_silence
from ..run import Run

BEFORE_S, AFTERWARDS_S = 3, 5


def cut_power_under_traffic(run: Run, clients: Mapping[str, MakeDialler]) -> None:
    """`clients`: what each of them speaks."""
    if NAT in run.lab.nodes:
        start_nat(run.lab)
    live = begin(run, clients=(), place=off_dc, observe_s=0, ipsec=True)
    eavesdroppers = {name: Eavesdropper(run.lab, run.lab.node(name), L2TP,
                                        run.out / f"{name}-recorded.pcap") for name in clients}
    live.dial_all(clients)
    run.observe(BEFORE_S)
    successor = live.cut_power(live.active)
    live.stack.wait_protected(len(clients))
    for name, eavesdropper in eavesdroppers.items():
        run.step(f"what {name} has sent is sent again to {successor.name}")
        run.expect(f"{name}_replayed", eavesdropper.replay(successor), at_least(100))
    run.observe(AFTERWARDS_S)
    seen = live.end()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    for name in clients:
        expect_only_silence(run, seen.client(name), POWER_CUT_MS)
