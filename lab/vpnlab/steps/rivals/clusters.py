# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha, and what one would take instead of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...host.node import Node
from ...host.topology import NAT
from ...product.cluster import Cluster
from ...product.dialler import MakeDialler
from ...product.ipsec_client import Ikev2Client, L2tpIpsecClient
from ...product.ipsec_gateway import StockCharon
from ...product.l2tp_client import L2tpClient
from ...product.pptp_client import PptpDialler
from ...product.radius_stack import POOL
from ...product.vpnha_stack import VpnhaStack
from ...product.wireguard.stock import INTERFACE, WireguardClient, peers_file
from ..mixed.mix import serve_plain_l2tp
from ..run import Run
from ..todays_stack import (PPTPD, READY_LIMIT_S, WIREGUARD, XL2TPD, Service, deploy, prepare_ipsec,
                            prepare_more, put_service)
from .keepalived import PRIORITIES, Keepalived

GROUP = "gateway"
PEER = "client3"
OF_IPSEC: Mapping[str, MakeDialler] = {"home1": L2tpIpsecClient, "client1": Ikev2Client}
OF_ALL: Mapping[str, MakeDialler] = {**OF_IPSEC, "client4": L2tpClient, "client2": PptpDialler,
                                     PEER: WireguardClient}
PAIR_NODES = ("gw1", "gw2", "server", NAT, *OF_ALL)
NODES = (*PAIR_NODES, "gw3")


class EveryProtocol(VpnhaStack):
    """One gateway for all clients."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.lab, Cluster(run.lab), ipsec=True, common_pool=POOL,
                         wireguard=peers_file([PEER]))

    def configure(self, node: Node) -> None:
        super().configure(node)
        serve_plain_l2tp(node)


class Vpnha:
    """This project, by its templates: three nodes, of which a standby stands in."""

    keeps = True
    one_owner = True
    clients = OF_ALL

    def __init__(self, run: Run) -> None:
        self._stack = EveryProtocol(run)

    def up(self) -> None:
        self._stack.up()

    def serving(self) -> Node | None:
        return self._stack.promoted()

    def settle(self, sessions: int) -> None:
        self._stack.wait_protected(sessions)
        self._stack.cluster.spare_successors(self._stack.wait_in_sync())

    def move(self, active: Node) -> None:
        self._stack.order_move(_other(self._stack.cluster.nodes, active))


class _OnPacemaker:
    """IPaddr2 for both addresses, in a group with a stock xl2tpd, and `more`."""

    keeps = False
    one_owner = True
    clients = OF_IPSEC
    more: Sequence[Service] = ()

    def __init__(self, run: Run) -> None:
        self.run = run
        self.cluster = Cluster(run.lab)
        self.charons: dict[str, StockCharon] = {}

    def start(self, nodes: list[Node], quorum_only: str = "") -> Node:
        """The daemons of `nodes`, whose charons are there. `quorum_only`: a node that never
        serves. Returns who serves."""
        self.cluster.up()
        for node in nodes:
            prepare_ipsec(self.run, node, self.charons[node.name])
            prepare_more(node, [PEER])
        return deploy(self.cluster, XL2TPD.name, XL2TPD.pid_file, XL2TPD.command, quorum_only,
                      self.more)

    def serving(self) -> Node | None:
        found = self.cluster.status().on((XL2TPD, *self.more)[-1].name)
        return self.run.lab.gateway(found[0]) if found else None

    def settle(self, sessions: int) -> None:
        self.cluster.tune()
        active = self.serving()
        assert active is not None
        self.cluster.spare_successors(active)

    def order_move(self, active: Node, target: Node) -> None:
        active.run("crm_resource", "--move", "--resource", GROUP, "--node", target.name)


class Pacemaker(_OnPacemaker):
    """Three nodes with stock daemons, whose sessions die with their node."""

    clients = OF_ALL
    more = (PPTPD, WIREGUARD)

    def up(self) -> None:
        nodes = self.cluster.nodes
        self.charons = {node.name: StockCharon(node) for node in nodes}
        self.start(nodes)
        for charon in self.charons.values():
            charon.take()

    def move(self, active: Node) -> None:
        self.order_move(active, _other(self.cluster.nodes, active))


class HaPlugin(_OnPacemaker):
    """strongSwan's ha plugin on two nodes, and a third one for quorum: their charons share all SAs,
    and one that misses the other's heartbeats takes over."""

    def up(self) -> None:
        one, other, third = self.cluster.nodes
        self.charons = {one.name: StockCharon(one, other), other.name: StockCharon(other, one)}
        active = self.start([one, other], third.name)
        self.charons[active.name].take()

    def settle(self, sessions: int) -> None:
        active = self.serving()
        assert active is not None
        standby = self.charons[_other(self.pair(), active).name]
        self.run.wait_for("the standby has all SAs",
                          lambda: standby.shared_sas() >= sessions, READY_LIMIT_S)
        super().settle(sessions)

    def pair(self) -> list[Node]:
        return [node for node in self.cluster.nodes if node.name in self.charons]

    def move(self, active: Node) -> None:
        """charon is ordered beside the cluster, which does not know of segments."""
        target = _other(self.pair(), active)
        self.order_move(active, target)
        self.charons[target.name].take()


class Vrrp:
    """keepalived with conntrackd on two nodes, and stock daemons; of WireGuard a device with the
    same key on both. It has neither quorum nor fencing."""

    keeps = False
    one_owner = True
    clients = OF_ALL
    services = (XL2TPD, PPTPD, WIREGUARD)

    def __init__(self, run: Run) -> None:
        self._run = run
        self._nodes = run.lab.gateways
        one, other = self._nodes
        self._daemons = {node.name: Keepalived(node, peer, priority) for node, peer, priority in (
            (one, other, PRIORITIES[0]), (other, one, PRIORITIES[1]))}

    def up(self) -> None:
        for node in self._nodes:
            charon = StockCharon(node)
            prepare_ipsec(self._run, node, charon)
            charon.take()
            prepare_more(node, [PEER])
            daemon = self._daemons[node.name]
            daemon.start([put_service(node, each.name, each.pid_file, each.command)
                          for each in self.services])
            self._run.wait_for(f"conntrackd of {node.name} answers", daemon.ready, READY_LIMIT_S)
        for daemon in self._daemons.values():
            daemon.serve()

    def serving(self) -> Node | None:
        return next((node for node in self._nodes if node.has_interface(INTERFACE)), None)

    def settle(self, sessions: int) -> None:
        """A standby knows of flows, and of no session."""

    def move(self, active: Node) -> None:
        self._daemons[active.name].leave()


def _other(nodes: list[Node], active: Node) -> Node:
    return next(node for node in nodes if node.name != active.name)
