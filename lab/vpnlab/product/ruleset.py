# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's nftables rules, from the project's template, as an administrator would install
them."""
from __future__ import annotations

from ..host.node import Node
from ..host.topology import VpnGateway
from .cluster import DIRECTORY, fill
from .probes import SERVER_ADDRESS

TEMPLATE = DIRECTORY.parent / "nftables" / "gateway.nft"
MAIN_FILE = "/etc/nftables.conf"
# As Debian's begins, with the line that the template asks for.
MAIN = """\
#!/usr/sbin/nft -f
flush ruleset
include "/etc/nftables.d/vpnha-*.nft"
"""


def rules(gateway: VpnGateway) -> str:
    return fill(TEMPLATE.read_text(encoding="utf-8"), {
        "GATEWAY": gateway.name, "VIPS": gateway.vip_outside, "VIPS6": gateway.vip6_outside,
        "CLIENTS": gateway.addresses, "INSIDE": "inside", "INSIDE_VIP": gateway.vip_inside,
        "L2TP_PORT": str(gateway.l2tp_port), "PPTP_FROM": "192.0.2.0/24", "RADIUS": SERVER_ADDRESS})


def table(gateway: VpnGateway) -> str:
    return f"vpnha-{gateway.name}"


def rules_file(gateway: VpnGateway) -> str:
    return f"/etc/nftables.d/{table(gateway)}.nft"


def load_rules(node: Node, gateway: VpnGateway) -> None:
    """Puts the rules where nftables.service would find them, and loads them as it does."""
    node.put(rules_file(gateway), rules(gateway))
    node.run("nft", "-f", rules_file(gateway))


def install_rules(node: Node, gateway: VpnGateway) -> None:
    """For nftables.service, which loads them when it starts."""
    node.put(rules_file(gateway), rules(gateway))
    node.put(MAIN_FILE, MAIN)
