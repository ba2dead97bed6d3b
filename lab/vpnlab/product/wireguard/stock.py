# SPDX-License-Identifier: GPL-2.0-or-later
"""WireGuard: the files of a gateway of vpnha, and stock `wg` as a client. No extension of ours is
on the client."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...host.node import Node
from ...host.topology import L2TP, NETWORKS, NODES, VpnGateway
from ..dialler import WIREGUARD, Dialled

INTERFACE = "wg0"
PORT = 51820
# Of a client behind NAT, as all guides have it.
KEEPALIVE_S = 25
MTU = 1420
PRIVATE_KEY_FILE = "/etc/vpnha/wireguard.key"
PEERS_FILE = "/etc/vpnha/wireguard-peers.conf"
CONFIG = "/etc/wireguard/wg0.conf"
# Of a stock gateway: what brings its device up, and has a process that a cluster can watch.
STOCK_COMMAND = "/usr/local/sbin/wireguard-up"
STOCK_PID_FILE = "/run/wireguard.pid"


@dataclasses.dataclass(frozen=True)
class Keys:
    """Of the lab alone: `wg genkey`, `wg pubkey`."""

    private: str
    public: str


GATEWAY_KEYS = Keys("iB4W7HfeVaOENONYscYMVzlqj731utf0MFLAfIEwvXU=",
                    "4Qp8yVUKFtRZae5RpQSgJg7c+mZGir4JipZTdwd4RV8=")
CLIENT_KEYS = {
    "client1": Keys("aKBMPxsMe8pGu237LVUnorzkjT1v2nX9jNog4MMK/kI=",
                    "HSRxk9WsepTyfN5GAjpMVYpuLjpMtRc3LhWwWxh+JVk="),
    "client2": Keys("YOX4mLxRp4xzfCdW6Q7Gu/HCNwcy4j+0naXr4nWpomQ=",
                    "O002n+SzMZsNelRWEEiWeQDn3Z7BB5+jfBxbiZ5WrR0="),
    "client3": Keys("IDcozEhS5KmJlWyonBmgj6yMd7XVnKZEPwA0kHmnT3s=",
                    "g9Mi24dLHhj6vqO4uHBm2glcqCx2rWLLpueIIomZEwg="),
    "client4": Keys("ONxI1SDrgP9F0gMqWYH0tlBSDz+Srg/I7siUXKp+RWo=",
                    "zhCH42TrabW/MudjLhqWg7Ls9FeLWa4BiIc5dHZ3UGc="),
    "home1": Keys("SLzoKqRkKzyeMHSrgVysHG1B9XlWGFlciueSdaH8EE8=",
                  "LvxhDqJafZ5lXgFThJqJSjkR39ttoP5dMjNjak9KTy0="),
    "home2": Keys("0L5tIh67WY4T+VLP94nL+tfqmUWd68FqmdnkdNUQJUg=",
                  "zVlddLDf/cSySdjUwtA+vDlOo5Y9edcoSgopIEE3Bgo="),
}
PRESHARED_KEY = "KrgLBdZwjhLIWkZxJ90qmZm/G5VT9Rb0MzsR72DwM9M="


def address_of(client: str, gateway: VpnGateway = L2TP) -> str:
    """In the tunnel: of the pool that no xl2tpd hands out."""
    return f"{gateway.net}.128.{NODES[client].id}"


def peer_section(public: str, address: str) -> str:
    """Of a client that has this address in the tunnel."""
    return f"""\
[Peer]
PublicKey = {public}
PresharedKey = {PRESHARED_KEY}
AllowedIPs = {address}/32
"""


def peers_file(clients: Sequence[str], gateway: VpnGateway = L2TP) -> str:
    """As `wg setconf` reads it."""
    return "\n".join(peer_section(CLIENT_KEYS[client].public, address_of(client, gateway))
                     for client in clients)


def configure_gateway(node: Node, peers: str) -> None:
    """The files beside vpnha.toml, where its defaults have them."""
    node.put(PRIVATE_KEY_FILE, GATEWAY_KEYS.private + "\n", mode=0o600)
    node.put(PEERS_FILE, peers, mode=0o600)


def configure_stock(node: Node, clients: Sequence[str], gateway: VpnGateway = L2TP) -> None:
    """What brings a stock device up, with the same key on all nodes."""
    node.put(CONFIG, f"[Interface]\nPrivateKey = {GATEWAY_KEYS.private}\nListenPort = {PORT}\n\n"
             + peers_file(clients, gateway), mode=0o600)
    node.put(STOCK_COMMAND, f"""\
#!/bin/sh -e
ip link del {INTERFACE} 2>/dev/null || true
ip link add {INTERFACE} mtu {MTU} type wireguard
wg setconf {INTERFACE} {CONFIG}
ip link set {INTERFACE} up
ip route add {gateway.announced_pool} dev {INTERFACE}
setsid sleep infinity >/dev/null 2>&1 </dev/null &
echo $! >{STOCK_PID_FILE}
""", mode=0o755)


def client_config(private: str, gateway: VpnGateway = L2TP) -> str:
    return f"""\
[Interface]
PrivateKey = {private}

[Peer]
PublicKey = {GATEWAY_KEYS.public}
PresharedKey = {PRESHARED_KEY}
AllowedIPs = {NETWORKS["inside"].prefix}
Endpoint = {gateway.vip_outside}:{PORT}
PersistentKeepalive = {KEEPALIVE_S}
"""


def latest_handshake(shown: str) -> int:
    """Of `wg show DEVICE latest-handshakes` of a client: Unix time; 0: there was none."""
    words = shown.split()
    return int(words[1]) if len(words) == 2 else 0


class WireguardClient:
    """The dialler of WireGuard. The device shakes hands as soon as it is up."""

    protocol = WIREGUARD
    interface = INTERFACE
    # What encryption hides is the user's alone: a handshake is seen by its type.
    logs = ()

    def __init__(self, node: Node, gateway: VpnGateway = L2TP) -> None:
        self.node = node
        self.gateway = gateway

    def start(self) -> None:
        keys = CLIENT_KEYS[self.node.name]
        self.node.put(CONFIG, client_config(keys.private, self.gateway), mode=0o600)

    def ready(self) -> bool:
        return True

    def dial(self) -> None:
        self.node.run("ip", "link", "add", INTERFACE, "mtu", str(MTU), "type", "wireguard")
        self.node.run("wg", "setconf", INTERFACE, CONFIG)
        self.node.run("ip", "addr", "add", f"{address_of(self.node.name, self.gateway)}/32",
                      "dev", INTERFACE)
        self.node.run("ip", "link", "set", INTERFACE, "up")
        self.node.run("ip", "route", "replace", NETWORKS["inside"].prefix, "dev", INTERFACE)

    def dialled(self) -> list[Dialled]:
        shown = self.node.run("wg", "show", INTERFACE, "latest-handshakes", check=False).stdout
        address = address_of(self.node.name, self.gateway)
        return ([Dialled(INTERFACE, address, self.gateway.vip_outside)]
                if latest_handshake(shown) else [])

    def hang_up(self) -> None:
        """WireGuard has no end of a session: the gateway gets no sign of it."""
        self.node.run("ip", "link", "del", INTERFACE)

    def gone(self) -> bool:
        return not self.node.has_interface(INTERFACE)

    def close(self) -> None:
        """Nothing is below a tunnel of WireGuard."""
