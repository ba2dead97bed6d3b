# SPDX-License-Identifier: GPL-2.0-or-later
"""nftables rules of a gateway and of a node, from the project's templates, as an administrator
would install them."""
from __future__ import annotations

from ..host.node import Node
from ..host.topology import NODES, VPN_GATEWAYS, VpnGateway
from .cluster import DIRECTORY, fill
from .probes import SERVER_ADDRESS
from .wireguard.stock import PORT as WIREGUARD_PORT

TEMPLATE = DIRECTORY.parent / "nftables" / "gateway.nft"
# How many a client may have at once.
FLOWS = 4096
NODE_TEMPLATE = DIRECTORY.parent / "nftables" / "node.nft"
NODE_TABLE = "vpnha_node"
NODE_FILE = "/etc/nftables.d/vpnha-_node.nft"
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
        "CLIENTS": gateway.addresses, "CLIENTS6": gateway.net6, "IKE": "",
        "OUTSIDE": "outside", "INSIDE": "inside",
        "INSIDE_VIP": gateway.vip_inside,
        "L2TP_PORT": str(gateway.l2tp_port), "WIREGUARD_PORT": str(WIREGUARD_PORT),
        "PPTP_FROM": "192.0.2.0/24", "RADIUS": SERVER_ADDRESS, "FLOWS": str(FLOWS)})


def node_rules() -> str:
    """Of every node. Clients may ask names at the inside addresses of the gateways."""
    own = [each.address(network) for each in NODES.values() if each.is_gateway
           for network in each.networks]
    return fill(NODE_TEMPLATE.read_text(encoding="utf-8"), {
        "NODES": ", ".join(own), "NODES6": "fd00:77::1",
        "CLIENTS": ", ".join(each.addresses for each in VPN_GATEWAYS),
        "CLIENTS6": ", ".join(each.net6 for each in VPN_GATEWAYS),
        "DNS": ", ".join(each.vip_inside for each in VPN_GATEWAYS)})


def table(gateway: VpnGateway) -> str:
    return f"vpnha-{gateway.name}"


def rules_file(gateway: VpnGateway) -> str:
    return f"/etc/nftables.d/{table(gateway)}.nft"


def files(gateway: VpnGateway) -> dict[str, str]:
    """By their paths."""
    return {NODE_FILE: node_rules(), rules_file(gateway): rules(gateway)}


def load_rules(node: Node, gateway: VpnGateway) -> None:
    """Puts the rules of the gateway and of the node where nftables.service would find them, and
    loads them as it does."""
    for path, text in files(gateway).items():
        node.put(path, text)
        node.run("nft", "-f", path)


def install_rules(node: Node, gateway: VpnGateway) -> None:
    """For nftables.service, which loads them when it starts."""
    for path, text in files(gateway).items():
        node.put(path, text)
    node.put(MAIN_FILE, MAIN)
