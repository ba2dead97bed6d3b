# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha on gateways whose users a RADIUS server knows, and for whose sessions vpnhad accounts."""
from __future__ import annotations

from collections.abc import Sequence

from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import L2TP
from .cluster import Cluster
from .l2tp_gateway import SECRETS
from .probes import SERVER_ADDRESS
from .radius import ACCT_PORT, PPP_OPTIONS, configure_client
from .vpnha_stack import CONFIG_FILE, VpnhaStack, options_file, pptpd_options_file

POOL = "10.200.32.0/26"
INTERIM_S = 10


def radius_table(interim_s: int, lines: str) -> str:
    return (f'[radius]\naccounting_servers = ["{SERVER_ADDRESS}:{ACCT_PORT}"]\n'
            f'interim_interval = "{interim_s}s"\n{lines}\n\n')


class RadiusStack(VpnhaStack):
    """xl2tpd and pptpd beside each other. pppd's radius.so authenticates, vpnhad accounts.
    `lines`: more of the table [radius]. `ipsec`: L2TP within IPsec only. `ppp`: further options of
    pppds. `wireguard`: the file of peers of gateways that serve WireGuard as well."""

    def __init__(self, lab: Lab, lines: str = "", ipsec: bool = False, ppp: Sequence[str] = (),
                 interim_s: int = INTERIM_S, wireguard: str = "") -> None:
        super().__init__(lab, Cluster(lab), common_pool=POOL, ipsec=ipsec, ppp=ppp,
                         wireguard=wireguard)
        self._radius = radius_table(interim_s, lines)

    def configure(self, node: Node) -> None:
        super().configure(node)
        toml = (node.read(CONFIG_FILE) or "").replace(
            "resume_scripts =", "accounting = true\nresume_scripts =", 1)
        node.put(CONFIG_FILE, self._radius + toml, mode=0o640)
        for path in (options_file(L2TP), pptpd_options_file(L2TP)):
            node.put(path, "\n".join((node.read(path) or "", *PPP_OPTIONS, "vpnha_accounting", "")))
        node.put(SECRETS, "", mode=0o600)
        configure_client(node)
