# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha on gateways whose users a RADIUS server knows, and for whose sessions vpnhad accounts."""
from __future__ import annotations

import json
from collections.abc import Sequence

from ..host.lab import Lab
from ..host.node import Node
from ..host.topology import L2TP
from .charon import CONNECTIONS
from .cluster import Cluster
from .ipsec_gateway import pool_name
from .l2tp_gateway import SECRETS
from .probes import SERVER_ADDRESS
from .radius import ACCT_PORT, EAP_SETTINGS, PPP_OPTIONS, configure_client
from .vpnha_stack import CONFIG_FILE, VpnhaStack, options_file, pptpd_options_file

POOL = "10.200.32.0/26"
INTERIM_S = 10
# Of addresses that the server gives to users of IKEv2: outside of charon's own pool.
FIXED_NET = "10.200.80.0/24"
EAP_FILE = "/etc/strongswan.d/zz-radius.conf"


def radius_table(interim_s: int, lines: str) -> str:
    return (f'[radius]\naccounting_servers = ["{SERVER_ADDRESS}:{ACCT_PORT}"]\n'
            f'interim_interval = "{interim_s}s"\n{lines}\n\n')


class RadiusStack(VpnhaStack):
    """xl2tpd and pptpd beside each other. pppd's radius.so authenticates, vpnhad accounts.
    `lines`: more of the table [radius]. `ipsec`: L2TP within IPsec only. `ppp`: further options of
    pppds. `wireguard`: the file of peers of gateways that serve WireGuard as well. `eap`: users of
    IKEv2 log in at the server, by charon's eap-radius; they may have addresses of FIXED_NET.
    `bandwidth`: the server sets how fast sessions are. `probe`, `ipv6`: as of the stack."""

    def __init__(self, lab: Lab, lines: str = "", ipsec: bool = False, ppp: Sequence[str] = (),
                 interim_s: int = INTERIM_S, wireguard: str = "", eap: bool = False,
                 bandwidth: bool = False, probe: str = "", ipv6: bool = False) -> None:
        super().__init__(lab, Cluster(lab), common_pool=POOL, ipsec=ipsec or eap, ppp=ppp,
                         wireguard=wireguard, probe=probe, ipv6=ipv6)
        self._radius = radius_table(interim_s, lines)
        self._eap = eap
        self._bandwidth = bandwidth

    def configure(self, node: Node) -> None:
        super().configure(node)
        toml = (node.read(CONFIG_FILE) or "").replace(
            "resume_scripts =", "accounting = true\nresume_scripts =", 1)
        if self._eap:
            # The net of charon's pool is the last one of 'pools', and the only one of its own list.
            pool = json.dumps(self.gateway.virtual_pool)
            toml = toml.replace(pool, f"{pool}, {json.dumps(FIXED_NET)}")
            connections = (node.read(CONNECTIONS) or "").replace(
                "auth = eap-mschapv2", "auth = eap-radius")
            pools = f"pools = {pool_name(self.gateway)}"
            node.put(CONNECTIONS, connections.replace(pools, pools.replace("= ", "= radius, ")),
                     mode=0o600)
            node.put(EAP_FILE, EAP_SETTINGS, mode=0o600)
        if self._bandwidth:
            toml += f"\n[gateway.{L2TP.name}.bandwidth]\nradius = true\n"
        node.put(CONFIG_FILE, self._radius + toml, mode=0o640)
        for path in (options_file(L2TP), pptpd_options_file(L2TP)):
            node.put(path, "\n".join((node.read(path) or "", *PPP_OPTIONS, "vpnha_accounting", "")))
        node.put(SECRETS, "", mode=0o600)
        configure_client(node)
