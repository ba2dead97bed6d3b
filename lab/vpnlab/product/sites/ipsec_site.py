# SPDX-License-Identifier: GPL-2.0-or-later
"""Another site with a net of its own, joined by IPsec: stock strongSwan on a client's node, which
answers and never begins. The gateways begin, by a trap policy: its net is one of theirs, so that
nobody but who serves may send from it."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ...host.lab import Lab
from ...host.node import Node
from ...host.topology import L2TP, NETWORKS, VpnGateway
from ..charon import CONNECTIONS, Charon, configure, sas
from ..cluster import Cluster
from ..dialler import IKEV2, Dialled
from ..ipsec_client import CBC, CONNECTION, DPD_S, IKE_PROPOSALS, TUNNEL, TUNNEL_ID, TUNNEL_MTU
from ..ipsec_client import secrets as ipsec_secrets
from ..ipsec_gateway import ESP_PROPOSALS, SERVER_ID
from ..vpnha_stack import CONFIG_FILE, VpnhaStack

NOTHING = "/etc/swanctl/nothing.conf"
SETTINGS = "charon {\n    install_routes = no\n}\n"


@dataclasses.dataclass(frozen=True)
class Site:
    """`interface`: the XFRM interface of the gateways that leads there, and the number of its
    policies; empty and 0: charon's policies alone."""

    name: str
    net: str
    host: str
    interface: str = ""
    if_id: int = 0

    @property
    def id(self) -> str:
        return f"{self.name}.example.com"

    def connection(self, gateway: VpnGateway, peer: Node) -> str:
        """Of the gateways."""
        ids = "".join(f"\n                if_id_{way} = {self.if_id}" for way in ("in", "out")
                      if self.if_id)
        return f"""\
connections {{
    {self.name} {{
        version = 2
        local_addrs = {gateway.vip_outside}
        remote_addrs = {peer.spec.access_address}
        mobike = no
        unique = never
        dpd_delay = 30s
        rekey_time = 8h
        rand_time = 0
        proposals = {IKE_PROPOSALS}
        local {{
            auth = psk
            id = {SERVER_ID}
        }}
        remote {{
            auth = psk
            id = {self.id}
        }}
        children {{
            {self.name} {{
                local_ts = {NETWORKS["inside"].prefix}
                remote_ts = {self.net}
                esp_proposals = {ESP_PROPOSALS}
                rekey_time = 1h
                rand_time = 0
                start_action = trap{ids}
            }}
        }}
    }}
}}
"""

    def own_connection(self, gateway: VpnGateway) -> str:
        """Of the site."""
        return f"""\
connections {{
    {CONNECTION} {{
        version = 2
        remote_addrs = {gateway.vip_outside}
        proposals = {IKE_PROPOSALS}
        mobike = no
        rekey_time = 8h
        dpd_delay = {DPD_S}s
        local {{
            auth = psk
            id = {self.id}
        }}
        remote {{
            auth = psk
            id = {SERVER_ID}
        }}
        children {{
            {CONNECTION} {{
                local_ts = {self.net}
                remote_ts = {NETWORKS["inside"].prefix}
                esp_proposals = {CBC}
                rekey_time = 1h
                if_id_in = {TUNNEL_ID}
                if_id_out = {TUNNEL_ID}
            }}
        }}
    }}
}}
{ipsec_secrets()}"""


# Within the nets that the server reaches by the VIP.
POLICY_SITE = Site("branch", "10.200.100.0/24", "10.200.100.1")
ROUTED_SITE = Site("depot", "10.200.101.0/24", "10.200.101.1", "depot0", 7)


class SiteStack(VpnhaStack):
    """vpnha with the connection to a site beside those of its clients."""

    def __init__(self, lab: Lab, cluster: Cluster, site: Site, peer: Node) -> None:
        super().__init__(lab, cluster, ipsec=True)
        self._site = site
        self._peer = peer

    def configure(self, node: Node) -> None:
        super().configure(node)
        site = self._site
        text = (node.read(CONFIG_FILE) or "").replace("pools = [", f'pools = ["{site.net}", ', 1)
        if site.interface:
            node.run("ip", "-batch", "-", stdin=(
                f"link add {site.interface} type xfrm dev outside if_id {site.if_id}\n"
                f"link set {site.interface} up\nroute add {site.net} dev {site.interface}\n"))
        else:
            text = text.replace("virtual_pools = [", f'virtual_pools = ["{site.net}", ', 1)
        node.put(CONFIG_FILE, text, mode=0o640)
        connections = node.read(CONNECTIONS) or ""
        node.put(CONNECTIONS, connections + site.connection(self.gateway, self._peer), mode=0o600)


class SitePeer:
    """The site as a dialler: it waits for the gateways, which `wake` has begin."""

    protocol = IKEV2
    interface = TUNNEL
    logs = ()

    def __init__(self, node: Node, gateway: VpnGateway = L2TP, *, site: Site,
                 wake: Callable[[], None], sleep: Callable[[], None]) -> None:
        """`wake`: a host behind the gateways begins to send to the site's; `sleep`: it stops."""
        self.node = node
        self.gateway = gateway
        self._site = site
        self._wake, self._sleep = wake, sleep
        self._charon = Charon(node)

    def start(self) -> None:
        self.node.run("ip", "-batch", "-", stdin=(
            f"link add {TUNNEL} mtu {TUNNEL_MTU} type xfrm dev outside if_id {TUNNEL_ID}\n"
            f"link set {TUNNEL} up\naddress add {self._site.host}/32 dev {TUNNEL}\n"
            f"route add {NETWORKS['inside'].prefix} dev {TUNNEL} src {self._site.host}\n"))
        configure(self.node, self._site.own_connection(self.gateway), SETTINGS)
        self._charon.start()

    def ready(self) -> bool:
        return self._charon.ready()

    def dial(self) -> None:
        """charon answers from now on, before the gateways begin: they try once, and then not for
        minutes."""
        self._charon.load()
        self._wake()

    def dialled(self) -> list[Dialled]:
        return [Dialled(TUNNEL, self._site.host, self.gateway.vip_outside)
                for _ in range(self._charon.child_sas_made())]

    def hang_up(self) -> None:
        """It knows no connection any more: what the gateways begin because of late packets, it
        refuses."""
        self._sleep()
        self.node.put(NOTHING, "connections {\n}\n", mode=0o600)
        self.node.run("swanctl", "--load-conns", "--file", NOTHING)
        self._charon.terminate(CONNECTION)

    def gone(self) -> bool:
        return not sas(self.node)

    def close(self) -> None:
        """The interface stays; it is no part of the session."""
