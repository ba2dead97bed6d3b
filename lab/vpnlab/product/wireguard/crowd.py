# SPDX-License-Identifier: GPL-2.0-or-later
"""Many WireGuard clients of one node, each with a device, a key and an address of its own."""
from __future__ import annotations

import ipaddress

from ...host.node import Node
from ...host.topology import L2TP, VpnGateway
from ..crowd import answered_through
from .stock import Keys, client_config, peer_section

# Two programs for each.
KEYS_LIMIT_S = 120
DIAL_LIMIT_S = 120


class WireguardCrowd:
    """Keys are made in the node, by stock `wg`."""

    def __init__(self, node: Node, count: int, gateway: VpnGateway = L2TP) -> None:
        self._node = node
        self._gateway = gateway
        self._keys = self._make_keys(count)
        # Behind those of the lab's own clients.
        first = ipaddress.ip_address(f"{gateway.net}.130.0")
        self._addresses = [str(first + number) for number in range(count)]

    @property
    def interfaces(self) -> list[str]:
        return [f"wgc{number}" for number in range(len(self._keys))]

    def peers(self) -> str:
        """Sections of the gateways' file."""
        return "\n" + "\n".join(peer_section(each.public, address)
                                for each, address in zip(self._keys, self._addresses))

    def dial(self) -> None:
        """Each device shakes hands as soon as it is up."""
        for name, each in zip(self.interfaces, self._keys):
            self._node.put(f"/run/lab/{name}.conf", client_config(each.private, self._gateway),
                           mode=0o600)
        self._node.run("sh", "-e", stdin="".join(
            f"ip link add {name} type wireguard\n"
            f"wg setconf {name} /run/lab/{name}.conf\n"
            f"ip addr add {address}/32 dev {name}\n"
            f"ip link set {name} up\n"
            for name, address in zip(self.interfaces, self._addresses)), timeout=DIAL_LIMIT_S)

    def up(self) -> int:
        """How many have shaken hands."""
        shown = self._node.run("wg", "show", "all", "latest-handshakes").stdout.splitlines()
        return sum(line.startswith("wgc") and line.split()[-1] != "0" for line in shown)

    def answered(self, server: str) -> int:
        return len(answered_through(self._node, self.interfaces, server))

    def hang_up(self) -> None:
        self._node.run("sh", "-e", stdin="".join(f"ip link del {name}\n"
                                                 for name in self.interfaces))

    def _make_keys(self, count: int) -> list[Keys]:
        made = self._node.run("sh", "-e", stdin=(
            f"for each in $(seq {count}); do\n"
            "key=$(wg genkey)\n"
            "echo \"$key $(echo \"$key\" | wg pubkey)\"\n"
            "done\n"), timeout=KEYS_LIMIT_S)
        return [Keys(*line.split()) for line in made.stdout.splitlines()]
