# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock strongSwan as a client, with xl2tpd and pppd inside (L2TP/IPsec of phones and of Windows)
or by itself with a virtual IP (IKEv2)."""
from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Collection, Sequence

from ..host.node import Node
from ..host.topology import L2TP, NETWORKS, PREFIXES6, VpnGateway
from . import pki
from .charon import Charon, configure
from .dialler import IKEV2, L2TP_IPSEC, Dialled
from .ipsec_gateway import SECRET, SERVER_ID, Auth
from .l2tp_client import L2tpClient
from .l2tp_gateway import PASSWORD, USER

CONNECTION = "vpn"
SYSLOG = "syslog"
# Room for ESP in UDP around L2TP around PPP, and around IP.
L2TP_MTU, TUNNEL_MTU = 1280, 1380
TUNNEL = "ipsec0"
TUNNEL_ID = 42
KEPT = "127.42.0.1/32"
# A client that receives nothing for so long asks whether its peer is alive.
DPD_S = 4
IKE_PROPOSALS = "aes256-sha256-modp2048"
CBC = "aes256-sha256"


@dataclasses.dataclass(frozen=True)
class TransportOffer:
    """What a client of L2TP/IPsec asks for. `selector`: protocol and port of its own end.
    `identity`: of IKE; empty: its address."""

    ike: str = IKE_PROPOSALS
    esp: str = CBC
    selector: str = "udp/1701"
    ike_rekey: str = "8h"
    child_rekey: str = "1h"
    dpd: str = f"{DPD_S}s"
    child_options: Sequence[str] = ()
    identity: str = ""


def l2tp_ipsec_connections(gateway: VpnGateway, secret: str = SECRET,
                           offer: TransportOffer = TransportOffer()) -> str:
    """IKEv1, main mode, pre-shared key, transport mode: what phones and Windows speak."""
    connection = transport_connection(CONNECTION, gateway, offer)
    return f"connections {{\n{connection}}}\n{secrets(secret)}"


def transport_connection(name: str, gateway: VpnGateway, offer: TransportOffer) -> str:
    """One of them; its child has the same name."""
    identity = f"\n            id = {offer.identity}" if offer.identity else ""
    more_of_child = "".join(f"{option}\n                " for option in offer.child_options)
    return f"""\
    {name} {{
        version = 1
        remote_addrs = {gateway.vip_outside}
        proposals = {offer.ike}
        rekey_time = {offer.ike_rekey}
        dpd_delay = {offer.dpd}
        local {{
            auth = psk{identity}
        }}
        remote {{
            auth = psk
            id = {gateway.vip_outside}
        }}
        children {{
            {name} {{
                mode = transport
                local_ts = dynamic[{offer.selector}]
                remote_ts = dynamic[udp/1701]
                esp_proposals = {offer.esp}
                {more_of_child}rekey_time = {offer.child_rekey}
            }}
        }}
    }}
"""


@dataclasses.dataclass(frozen=True)
class Ikev2Kind:
    """What a client of IKEv2 chooses: how it authenticates itself, and ESP's algorithms."""

    auth: Auth = Auth.PSK
    esp: str = CBC
    # It may move to another address.
    mobike: bool = False
    # It dials again when the gateway ends its SAs.
    dials_again: bool = False
    # It wants an address of IPv6 beside that of IPv4; and it dials the VIP of IPv6.
    dual: bool = False
    by_ipv6: bool = False


# Beside the default.
EAP_GCM = Ikev2Kind(Auth.EAP, "aes256gcm16")
CERTIFICATE_ESN = Ikev2Kind(Auth.CERTIFICATE, "aes256gcm16-esn")
MOBILE = Ikev2Kind(mobike=True)
TENACIOUS = Ikev2Kind(dials_again=True)
DUAL = Ikev2Kind(dual=True)
DUAL_BY_IPV6 = Ikev2Kind(dual=True, by_ipv6=True)
USER_ID = f"{USER}@example.com"
# What the client shows, and what it asks for.
_AUTHENTICATION = {
    Auth.PSK: (f"auth = psk\n            id = {USER_ID}", "auth = psk"),
    Auth.EAP: (f"auth = eap-mschapv2\n            id = {USER_ID}\n            eap_id = {USER}",
               "auth = pubkey"),
    Auth.CERTIFICATE: (f"auth = pubkey\n            id = {USER_ID}\n            certs = own.pem",
                       "auth = pubkey"),
}


def authentication_of(auth: Auth) -> tuple[str, str]:
    """What the client shows, and what it asks for, as lines of swanctl.conf."""
    return _AUTHENTICATION[auth]


def ikev2_connections(gateway: VpnGateway, kind: Ikev2Kind = Ikev2Kind()) -> str:
    """IKEv2 in tunnel mode with a virtual IP, by an interface of its own."""
    mobike = "yes" if kind.mobike else "no"
    return tunnel_connections(gateway, IKE_PROPOSALS,
                              (f"dpd_delay = {DPD_S}s", f"mobike = {mobike}"),
                              authentication_of(kind.auth), kind.esp, "1h",
                              ("close_action = start",) if kind.dials_again else (),
                              dual=kind.dual, by_ipv6=kind.by_ipv6)


def tunnel_connections(gateway: VpnGateway, ike: str, options: Sequence[str],
                       authentication: tuple[str, str], esp: str, rekey_time: str,
                       child_options: Sequence[str] = (), ike_rekey: str = "8h",
                       dual: bool = False, by_ipv6: bool = False) -> str:
    """IKEv2 in tunnel mode with a virtual IP. `authentication`: what the client shows, and what it
    asks for. `dual`, `by_ipv6`: as Ikev2Kind has them."""
    shown, asked = authentication
    more = "\n        ".join(options)
    more_of_child = "\n                ".join(child_options)
    return f"""\
connections {{
    {CONNECTION} {{
        version = 2
        remote_addrs = {gateway.vip6_outside if by_ipv6 else gateway.vip_outside}
        proposals = {ike}
        rekey_time = {ike_rekey}
        {more}
        vips = {"0.0.0.0, ::" if dual else "0.0.0.0"}
        local {{
            {shown}
        }}
        remote {{
            {asked}
            id = {SERVER_ID}
        }}
        children {{
            {CONNECTION} {{
                remote_ts = {NETWORKS["inside"].prefix}{f", {PREFIXES6['inside']}" if dual else ""}
                esp_proposals = {esp}
                rekey_time = {rekey_time}
                {more_of_child}
                if_id_in = {TUNNEL_ID}
                if_id_out = {TUNNEL_ID}
            }}
        }}
    }}
}}
{secrets()}"""


def secrets(secret: str = SECRET) -> str:
    return f"""\
secrets {{
    ike-vpn {{
        secret = {secret}
    }}
    eap-vpn {{
        id = {USER}
        secret = {PASSWORD}
    }}
}}
"""


# The interface and its route are made by hand, the virtual IP is charon's to give it.
IKEV2_SETTINGS = f"""\
charon {{
    install_routes = no
    install_virtual_ip_on = {TUNNEL}
}}
"""


def move(node: Node, old: str, new: str) -> None:
    """From one address of its network to another one; its charon notices that by itself."""
    network = NETWORKS[node.spec.access]
    prefix = ipaddress.ip_network(network.prefix).prefixlen
    node.run("ip", "-batch", "-", stdin=f"address del {old}/{prefix} dev {network.link}\n"
                                        f"address add {new}/{prefix} dev {network.link}\n")


class L2tpIpsecClient:
    """The dialler of L2TP/IPsec."""

    protocol = L2TP_IPSEC
    interface = L2tpClient.interface
    logs = (SYSLOG,)

    def __init__(self, node: Node, gateway: VpnGateway = L2TP, secret: str = SECRET,
                 password: str = PASSWORD, mtu: int = L2TP_MTU, port: int = 1701,
                 ppp: Sequence[str] = (), without: Collection[str] = ()) -> None:
        """`secret`: the pre-shared key of IKE; `password`: the user's, of PPP. `port`: from which
        it speaks L2TP. `ppp`, `without`: options of pppd that it has beside the usual ones, and of
        these that it has not."""
        self.node = node
        self.gateway = gateway
        self._secret = secret
        self._charon = Charon(node)
        self._l2tp = L2tpClient(node, gateway=gateway, password=password, mtu=mtu,
                                syslog=SYSLOG, ppp=ppp, without=without, port=port)
        self._loaded = False

    def start(self) -> None:
        # The encryption hides from captures what the daemons send there.
        self.node.run_tool("syslog.py", f"/var/log/{SYSLOG}")
        self._l2tp.start()
        configure(self.node, self.connections(), self.settings())
        self._charon.start()

    def connections(self) -> str:
        """Of charon."""
        return l2tp_ipsec_connections(self.gateway, self._secret)

    def settings(self) -> str:
        """Of strongswan.conf."""
        return ""

    def ready(self) -> bool:
        return self._l2tp.ready() and self._charon.ready()

    def dial(self) -> None:
        self._charon.load()
        self._charon.initiate(CONNECTION)
        self._l2tp.dial()

    def dialled(self) -> list[Dialled]:
        return self._l2tp.dialled()

    def hang_up(self) -> None:
        self._l2tp.hang_up()

    def gone(self) -> bool:
        return self._l2tp.gone()

    def close(self) -> None:
        self._charon.terminate(CONNECTION)


class Ikev2Client:
    """The dialler of IKEv2."""

    protocol = IKEV2
    interface = TUNNEL
    # Nothing inside of ESP but the user's packets.
    logs = ()

    def __init__(self, node: Node, gateway: VpnGateway = L2TP,
                 kind: Ikev2Kind = Ikev2Kind()) -> None:
        self.node = node
        self.gateway = gateway
        self._kind = kind
        self._charon = Charon(node)

    def start(self) -> None:
        self.node.run("ip", "-batch", "-", stdin=(
            f"link add {TUNNEL} mtu {TUNNEL_MTU} type xfrm dev {self._link()} if_id {TUNNEL_ID}\n"
            f"link set {TUNNEL} up\n"
            # A client that moves takes its virtual IP off for a moment. The kernel takes the routes
            # of an interface without any address, and uses none of this scope as a source.
            f"address add {KEPT} dev {TUNNEL} scope host\n"
            f"route add {NETWORKS['inside'].prefix} dev {TUNNEL}\n"))
        configure(self.node, self.connections(), self.settings())
        for path, content in pki.files(USER_ID).items():
            self.node.put(path, content, mode=0o600)
        self._charon.start()

    def connections(self) -> str:
        """Of charon."""
        return ikev2_connections(self.gateway, self._kind)

    def settings(self) -> str:
        """Of strongswan.conf."""
        return IKEV2_SETTINGS

    def _link(self) -> str:
        return NETWORKS[self.node.spec.access].link

    def ready(self) -> bool:
        return self._charon.ready()

    def dial(self) -> None:
        self._charon.load()
        self._charon.initiate(CONNECTION)
        if self._kind.dual:
            # charon deprecates it, so the kernel would take any other one first.
            source = self.virtual_ips6()[-1]
            self.node.run("ip", "-6", "route", "replace", PREFIXES6["inside"], "dev", TUNNEL,
                          "src", source)

    def dialled(self) -> list[Dialled]:
        return [Dialled(TUNNEL, address, self.gateway.vip_outside)
                for address in self._charon.virtual_ips() if ":" not in address]

    def virtual_ips6(self) -> list[str]:
        """The addresses of IPv6 that it was given, each time that it was given one."""
        return [address for address in self._charon.virtual_ips() if ":" in address]

    def hang_up(self) -> None:
        self._charon.terminate(CONNECTION)

    def gone(self) -> bool:
        return not self.node.run("ip", "-4", "-oneline", "address", "show", "dev", TUNNEL,
                                 "scope", "global").stdout

    def close(self) -> None:
        """The interface stays; it is no part of the session."""
