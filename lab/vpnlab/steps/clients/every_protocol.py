# SPDX-License-Identifier: GPL-2.0-or-later
"""One gateway with a client of each protocol that the internet may bring: L2TP/IPsec, IKEv2,
PPTP."""
from __future__ import annotations

from collections.abc import Mapping

from ...host.topology import DEFAULT_NODES, L2TP
from ...product.cluster import Cluster
from ...product.dialler import MakeDialler
from ...product.ipsec_client import Ikev2Client, L2tpIpsecClient
from ...product.pptp_client import PptpDialler
from ...product.vpnha_stack import VpnhaStack
from ..live import Live, Place, anywhere, begin
from ..run import Run

CLIENTS: Mapping[str, MakeDialler] = {"client1": L2tpIpsecClient, "client2": Ikev2Client,
                                      "client3": PptpDialler}
CLIENT_NODES = (*DEFAULT_NODES, *sorted(CLIENTS.keys() - set(DEFAULT_NODES)))


def begin_all(run: Run, place: Place = anywhere) -> Live:
    """All are dialled in, protected, and make traffic."""
    stack = VpnhaStack(run.lab, Cluster(run.lab), ipsec=True, common_pool=L2TP.announced_pool)
    live = begin(run, clients=(), place=place, observe_s=0, stack=stack)
    live.dial_all(CLIENTS)
    return live
