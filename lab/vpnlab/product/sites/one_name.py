# SPDX-License-Identifier: GPL-2.0-or-later
"""Several gateways behind one name of DNS: the server of the name, and a client that dials it."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from ...host.node import Node
from ...host.topology import L2TP, VpnGateway
from ..ipsec_client import Ikev2Client, ikev2_connections

NAME = "vpn.example.com"
# As docs/use/several-gateways.md advises while gateways come and go.
TTL_S = 300
LOG = "dnsmasq.log"
LOOKUP = re.compile(rf"query\[A\] {re.escape(NAME)} from ")
SERVED_BY = re.compile(r"IKE_SA \S+ established between \S+?\[.*?\]\.\.\.([\da-f.:]+)\[")


class NameServer:
    """Stock dnsmasq with an address record for the VIP of each gateway. It begins each answer with
    the next record, and a client takes the first one."""

    def __init__(self, node: Node, gateways: Sequence[VpnGateway]) -> None:
        self._node = node
        self._gateways = gateways

    def start(self) -> None:
        log = f"/var/log/{LOG}"
        self._node.start(*self.command(), stdout=log, stderr=log)

    def command(self) -> list[str]:
        """It knows this name alone, and reads no file of the node."""
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts",
                "--no-resolv", "--user=root", "--pid-file=", "--log-queries", "--log-facility=-",
                f"--local-ttl={TTL_S}", f"--local=/{NAME}/",
                *(f"--host-record={NAME},{each.vip_outside}" for each in self._gateways)]

    def ready(self) -> bool:
        return ": started, version" in self._node.read_log(LOG)

    def lookups(self) -> int:
        """How often the addresses of the name were asked for."""
        return len(LOOKUP.findall(self._node.read_log(LOG)))


def gateway_of(charon_log: str, gateways: Sequence[VpnGateway]) -> VpnGateway:
    """That of them whose VIP the newest IKE SA in a client's log has."""
    address = SERVED_BY.findall(charon_log)[-1]
    return next(each for each in gateways if each.vip_outside == address)


class OneNameClient(Ikev2Client):
    """The dialler of IKEv2 that knows its gateway by the name alone; `gateway` is the one that has
    served it, from dial() on."""

    def __init__(self, node: Node, gateway: VpnGateway = L2TP, *, server: str,
                 gateways: Sequence[VpnGateway]) -> None:
        """`server`: the address of the NameServer. `gateways`: of the name."""
        super().__init__(node, gateway)
        self._server = server
        self._gateways = gateways

    def start(self) -> None:
        self.node.put("/etc/resolv.conf", f"nameserver {self._server}\n")
        super().start()

    def connections(self) -> str:
        return ikev2_connections(dataclasses.replace(self.gateway, vip_outside=NAME), self._kind)

    def dial(self) -> None:
        super().dial()
        self.gateway = gateway_of(self._charon.log(), self._gateways)
