# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha, and what one would take instead of it for sessions of IPsec."""
from __future__ import annotations

from ...host.node import Node
from ...product.cluster import Cluster
from ...product.ipsec_gateway import StockCharon
from ...product.l2tp_gateway import PID_FILE, XL2TPD_COMMAND
from ...product.vpnha_stack import VpnhaStack
from ..run import Run
from ..todays_stack import READY_LIMIT_S, deploy, prepare_ipsec, put_service
from .keepalived import PRIORITIES, Keepalived

XL2TPD = "xl2tpd"
GROUP = "gateway"


class Vpnha:
    """This project, by its templates: three nodes, of which a standby stands in."""

    keeps = True

    def __init__(self, run: Run) -> None:
        self._stack = VpnhaStack(run.lab, Cluster(run.lab), ipsec=True)

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
    """IPaddr2 for both addresses, in a group with a stock xl2tpd."""

    keeps = False

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
        return deploy(self.cluster, XL2TPD, PID_FILE, XL2TPD_COMMAND, quorum_only)

    def serving(self) -> Node | None:
        found = self.cluster.status().on(XL2TPD)
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
        """charon is told beside the cluster, which does not know of segments."""
        target = _other(self.pair(), active)
        self.order_move(active, target)
        self.charons[target.name].take()


class Vrrp:
    """keepalived with conntrackd on two nodes, and stock daemons. It has neither quorum nor
    fencing."""

    keeps = False

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
            daemon = self._daemons[node.name]
            daemon.start(put_service(node, XL2TPD, PID_FILE, XL2TPD_COMMAND))
            self._run.wait_for(f"conntrackd of {node.name} answers", daemon.ready, READY_LIMIT_S)
        for daemon in self._daemons.values():
            daemon.serve()

    def serving(self) -> Node | None:
        return next((node for node in self._nodes if node.processes(XL2TPD)), None)

    def settle(self, sessions: int) -> None:
        """A standby knows of flows, and of no session."""

    def move(self, active: Node) -> None:
        self._daemons[active.name].leave()


def _other(nodes: list[Node], active: Node) -> Node:
    return next(node for node in nodes if node.name != active.name)
