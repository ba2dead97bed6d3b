# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's nftables rules, from the project's template, as an administrator would install
them."""
from __future__ import annotations

from .cluster import DIRECTORY, fill
from .node import Node
from .topology import VpnGateway

TEMPLATE = DIRECTORY.parent / "nftables" / "gateway.nft"


def rules(gateway: VpnGateway) -> str:
    return fill(TEMPLATE.read_text(encoding="utf-8"), {
        "GATEWAY": gateway.name, "VIPS": gateway.vip_outside, "CLIENTS": gateway.addresses,
        "INSIDE": "inside", "INSIDE_VIP": gateway.vip_inside, "PPTP_FROM": "192.0.2.0/24"})


def load_rules(node: Node, gateway: VpnGateway) -> None:
    """Puts the rules where nftables.service would find them, and loads them as it does."""
    path = f"/etc/nftables.d/vpnha-{gateway.name}.nft"
    node.put(path, rules(gateway))
    node.run("nft", "-f", path)
