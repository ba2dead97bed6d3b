# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's side of IPsec: what swanctl loads on every node of a gateway, and the virtual IPs
of its HA pool; and a stock charon on one node, without a cluster."""
from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from ..host.node import Node
from ..host.topology import L2TP, NETWORKS, PREFIXES6, VpnGateway
from . import pki
from .charon import CONNECTIONS, Charon, configure, sas
from .dialler import IKEV2, L2TP_IPSEC
from .l2tp_gateway import PASSWORD, USER, l2tp_leftovers

SECRET = "lab-pre-shared-key"
# What the gateways call themselves to a client of IKEv2.
SERVER_ID = "vpn.example.com"
POOL = "vpn"
# What the name of a pool of IPv6 ends with.
OF_IPV6 = "-ipv6"
PASSIVE_SA = "installed HA CHILD_SA"
FIFO = "/run/charon.ha"
IKE_PROPOSALS = "aes256-sha256-modp2048,aes256gcm16-prfsha256-ecp256"
ESP_PROPOSALS = "aes256-sha256,aes256gcm16,aes256gcm16-esn"
PSK = "auth = psk"
L2TP_CHILD = ("mode = transport", "local_ts = dynamic[udp/1701]", "remote_ts = dynamic[udp]")
# By these vpnhad distinguishes clients behind one NAT address.
L2TP_MARKS = ("mark_in = %unique", "mark_out = %unique", "set_mark_in = %same")
IKEV2_CHILD = (f"local_ts = {NETWORKS['inside'].prefix}",)
IKEV2_OPTIONS = ("version = 2",)


@dataclasses.dataclass(frozen=True)
class Lifetimes:
    """After which the gateways rekey, by default so long that a run sees no rekey; and after which
    they ask a silent client whether it lives."""

    ike: str = "8h"
    child: str = "1h"
    dpd: str = "30s"
    # For how long an IKE SA lives on beyond its rekey, and how long a CHILD SA lives in all; empty:
    # a tenth of the time to the rekey more, as charon has it.
    ike_over: str = ""
    child_life: str = ""


@dataclasses.dataclass(frozen=True)
class Offers:
    """The proposals of the gateways, of IKE and of ESP."""

    l2tp: str = IKE_PROPOSALS
    l2tp_esp: str = ESP_PROPOSALS
    ikev2: str = IKE_PROPOSALS
    ikev2_esp: str = ESP_PROPOSALS


class Auth(enum.Enum):
    """How a client of IKEv2 authenticates itself."""

    PSK = "psk"
    EAP = "eap"
    CERTIFICATE = "certificate"


_SERVER = f"""\
id = {SERVER_ID}
            """
_WITH_CERTIFICATE = f"""\
{_SERVER}auth = pubkey
            certs = own.pem"""
# What the gateway shows, and what it asks for.
_AUTHENTICATION = {
    Auth.PSK: (f"{_SERVER}{PSK}", PSK),
    Auth.EAP: (_WITH_CERTIFICATE, "auth = eap-mschapv2\n            eap_id = %any"),
    Auth.CERTIFICATE: (_WITH_CERTIFICATE, "auth = pubkey\n            cacerts = ca.pem"),
}


def gateway_connections(gateway: VpnGateway = L2TP, marked: bool = True,
                        lifetimes: Lifetimes = Lifetimes(), mobike: bool = False,
                        offers: Offers = Offers(), ipv6: bool = False) -> str:
    """The same on all nodes. `marked`: vpnhad is there, which finds clients of L2TP by their
    marks. `mobike`: clients of IKEv2 may move. `ipv6`: clients of IKEv2 dial the VIPs of both
    families, get an address of each, and reach both inside."""
    l2tp_child = (*L2TP_CHILD, *(L2TP_MARKS if marked else ()),
                  f"esp_proposals = {offers.l2tp_esp}")
    child = (f"{IKEV2_CHILD[0]}, {PREFIXES6['inside']}",) if ipv6 else IKEV2_CHILD
    ikev2_child = (*child, f"esp_proposals = {offers.ikev2_esp}")
    pools = pool_name(gateway) + (f", {pool_name(gateway)}{OF_IPV6}" if ipv6 else "")
    l2tp_options = ("version = 1", f"proposals = {offers.l2tp}")
    ikev2_options = (*IKEV2_OPTIONS, f"pools = {pools}",
                     f"proposals = {offers.ikev2}")
    ikev2 = "".join(_connection(gateway, ikev2_name(auth), ikev2_options, _AUTHENTICATION[auth],
                                ikev2_child, lifetimes, mobike, ipv6) for auth in Auth)
    return f"""\
connections {{
{_connection(gateway, L2TP_IPSEC, l2tp_options, (PSK, PSK), l2tp_child,
             lifetimes)}{ikev2}}}
secrets {{
    ike-vpn {{
        secret = {SECRET}
    }}
    eap-vpn {{
        id = {USER}
        secret = {PASSWORD}
    }}
}}
"""


def _connection(gateway: VpnGateway, name: str, options: Sequence[str],
                authentication: tuple[str, str], child: Sequence[str],
                lifetimes: Lifetimes, mobike: bool = False, ipv6: bool = False) -> str:
    inner = "\n                ".join((
        *child, f"rekey_time = {lifetimes.child}",
        "rand_time = 0", *_unless_empty("life_time", lifetimes.child_life)))
    outer = "\n        ".join((
        f"local_addrs = {gateway.vip_outside}" + (f", {gateway.vip6_outside}" if ipv6 else ""),
        f"mobike = {'yes' if mobike else 'no'}", "unique = never",
        f"dpd_delay = {lifetimes.dpd}",
        f"rekey_time = {lifetimes.ike}", "rand_time = 0",
        *_unless_empty("over_time", lifetimes.ike_over), *options))
    return f"""\
    {name} {{
        {outer}
        local {{
            {authentication[0]}
        }}
        remote {{
            {authentication[1]}
        }}
        children {{
            {name} {{
                {inner}
            }}
        }}
    }}
"""


def _unless_empty(option: str, value: str) -> Sequence[str]:
    return (f"{option} = {value}",) if value else ()


def ikev2_name(auth: Auth) -> str:
    """Of the connection and its child."""
    return f"{IKEV2}-{auth.value}"


def pool_name(gateway: VpnGateway) -> str:
    """Each charon of a node knows the pools of all of them."""
    return POOL if gateway.name == L2TP.name else f"{POOL}-{gateway.name}"


def connections_file(gateway: VpnGateway) -> str:
    """What its charon loads."""
    return CONNECTIONS if not gateway.netns else CONNECTIONS.replace(
        ".conf", f"-{gateway.name}.conf")


def configure_gateway(node: Node, gateway: VpnGateway, settings: str = "", marked: bool = True,
                      lifetimes: Lifetimes = Lifetimes(), mobike: bool = False,
                      offers: Offers = Offers(), ipv6: bool = False) -> None:
    """The files that are the same on all nodes of a gateway; `settings` of strongswan.conf beside
    the pools of virtual IPs."""
    configure(node, gateway_connections(gateway, marked, lifetimes, mobike, offers, ipv6),
              settings + pool_settings(gateway, ipv6), connections_file(gateway))
    for path, content in pki.files(SERVER_ID).items():
        node.put(path, content, mode=0o600)


def pool_settings(gateway: VpnGateway = L2TP, ipv6: bool = False) -> str:
    """Virtual IPs come from pools of charon's HA plugin, of which no two nodes give out the
    same."""
    name = pool_name(gateway)
    nets = {name: gateway.virtual_pool, **({f"{name}{OF_IPV6}": gateway.virtual_pool6} if ipv6
                                           else {})}
    pools = "\n                ".join(f"{each} = {net}" for each, net in nets.items())
    return f"""\
charon {{
    plugins {{
        ha {{
            pools {{
                {pools}
            }}
        }}
    }}
}}
"""


def _ha_settings(**options: object) -> str:
    """charon with its HA plugin, which has one segment."""
    lines = "\n".join(f"            {name} = {value}" for name, value in options.items())
    return f"""\
charon {{
    install_routes = no
    plugins {{
        ha {{
            segment_count = 1
            fifo_interface = yes
            monitor = yes
{lines}
        }}
    }}
}}
"""


def stock_settings() -> str:
    """charon alone, with its HA plugin in the hands of whoever writes to the fifo."""
    return _ha_settings(local="127.0.0.1", remote="127.0.0.2", heartbeat_timeout=2000000000,
                        resync="no")


def pair_settings(node: Node, peer: Node) -> str:
    """charon's HA plugin as strongSwan's documentation has it for two nodes, one of which serves:
    they notify each other of their SAs, and one that receives no heartbeat takes all of them."""
    return _ha_settings(local=node.address("cluster0"), remote=peer.address("cluster0"),
                        heartbeat_delay=1000, heartbeat_timeout=2100, resync="yes")


def _route_virtual_ips(node: Node) -> None:
    """As vpnhad does elsewhere: a packet needs a route before the kernel looks for its policy; its
    SA then shows where it goes."""
    node.run("ip", "route", "replace", L2TP.virtual_pool, "dev", "outside")


def ipsec_leftovers(node: Node) -> list[str]:
    """What remains of IPsec and L2TP in a node's kernel and process table."""
    return sas(node) + l2tp_leftovers(node)


class StockCharon:
    """charon by hand on one node, without a cluster. Its HA plugin has no peer, or `peer`."""

    def __init__(self, node: Node, peer: Node | None = None) -> None:
        self._node = node
        self._settings = stock_settings() if peer is None else pair_settings(node, peer)
        self._charon = Charon(node)
        self.ready = self._charon.ready
        self.load = self._charon.load
        self.log = self._charon.log

    def start(self) -> None:
        """ready() shows when it may serve."""
        configure_gateway(self._node, L2TP, self._settings, marked=False)
        _route_virtual_ips(self._node)
        self._charon.start()

    def serve(self) -> None:
        """The plugin holds its only segment passive until it gets another order."""
        self.load()
        self.take()

    def shared_sas(self) -> int:
        """How many SAs of its peer it has got by the plugin."""
        return self._charon.log().count(PASSIVE_SA)

    def take(self) -> None:
        """The segment, from its peer if it has one."""
        self._node.put(FIFO, "+1\n")
