# SPDX-License-Identifier: GPL-2.0-or-later
"""What most scenarios of IPsec begin and end with: home1, which speaks L2TP/IPsec from behind its
NAT, and client1, which speaks IKEv2."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...evidence.measure import Measured
from ...product.cluster import Cluster
from ...product.dialler import MakeDialler
from ...product.ipsec_client import Ikev2Client, L2tpIpsecClient
from ...product.ipsec_gateway import Lifetimes
from ...product.sites.home import start_nat
from ...product.vpnha_stack import VpnhaStack
from ..live import Live, Place, anywhere, begin
from ..promise import expect_only_silence
from ..run import Run

IPSEC_NODES = ("gw1", "gw2", "gw3", "client1", "server", "nat1", "home1")
CLIENTS: Mapping[str, MakeDialler] = {"home1": L2tpIpsecClient, "client1": Ikev2Client}
CHARON = "charon-systemd"


def begin_ipsec(run: Run, place: Place = anywhere, observe_s: float = 2.0,
                lifetimes: Lifetimes = Lifetimes(), fencing: Path | None = None) -> Live:
    """Both are dialled in, protected, and make traffic. `lifetimes`: of the gateways' SAs.
    `fencing`: a topology of stonith/ instead of power alone."""
    start_nat(run.lab)
    stack = VpnhaStack(run.lab, Cluster(run.lab), fencing=fencing, ipsec=True,
                       lifetimes=lifetimes)
    live = begin(run, clients=(), place=place, observe_s=0, stack=stack)
    live.dial_all(CLIENTS)
    run.observe(observe_s)
    return live


def expect_silences(run: Run, seen: Measured, outage_ms: float) -> None:
    """Both saw a silence of at most so long, and nothing else."""
    for name in CLIENTS:
        expect_only_silence(run, seen.client(name), outage_ms)
