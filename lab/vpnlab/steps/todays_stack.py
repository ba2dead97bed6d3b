# SPDX-License-Identifier: GPL-2.0-or-later
"""What a failover is compared with: IPaddr2 for both addresses and a stock daemon that follow each
other from node to node, on a cluster that is up."""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from ..host.node import Node
from ..host.topology import L2TP
from ..product.client import VpnClient
from ..product.cluster import DIRECTORY, Cluster
from ..product.ipsec_gateway import StockCharon
from ..product.l2tp_gateway import PID_FILE, XL2TPD_COMMAND, StockGateway
from ..product.pptp_gateway import CONFIG as PPTPD_CONFIG
from ..product.pptp_gateway import PID_FILE as PPTPD_PID_FILE
from ..product.pptp_gateway import PPTPD_COMMAND, StockPptpd
from ..product.wireguard.stock import STOCK_COMMAND, STOCK_PID_FILE, configure_stock
from .run import Run

SERVICE = DIRECTORY / "cluster" / "daemon.lsb.in"
TEMPLATE = DIRECTORY / "cluster" / "control.crm.in"
QUORUM_ONLY = DIRECTORY / "cluster" / "quorum-only.crm.in"
READY_LIMIT_S = 15.0
# What pptpd hands out beside an xl2tpd, which begins at the lower end of its node's pool.
PPTP_POOL = (200, 250)


@dataclasses.dataclass(frozen=True)
class Service:
    """A stock daemon that a cluster starts and ends."""

    name: str
    pid_file: str
    command: str

    @property
    def primitive(self) -> str:
        """In the cluster's configuration, as control.crm.in has the first one."""
        return f"primitive {self.name} lsb:{self.name} op monitor interval=2s timeout=20s"


XL2TPD = Service("xl2tpd", PID_FILE, XL2TPD_COMMAND)
PPTPD = Service("pptpd", PPTPD_PID_FILE, PPTPD_COMMAND)
WIREGUARD = Service("wireguard", STOCK_PID_FILE, STOCK_COMMAND)


def put_service(node: Node, daemon: str, pid_file: str, command: str) -> str:
    """The daemon's init script, which `command` starts. Returns its path."""
    path = f"/etc/init.d/{daemon}"
    script = SERVICE.read_text(encoding="utf-8")
    node.put(path, script.replace("@PID_FILE@", pid_file).replace("@COMMAND@", command),
             mode=0o755)
    return path


def deploy(cluster: Cluster, daemon: str, pid_file: str, command: str,
           quorum_only: str = "", more: Sequence[Service] = ()) -> Node:
    """`command` starts the daemon, whose resource has its name. `quorum_only`: a node that never
    serves. `more`: what starts after it. Returns the node that serves."""
    services = [Service(daemon, pid_file, command), *more]
    for node in cluster.nodes:
        for each in services:
            put_service(node, each.name, each.pid_file, each.command)
    cluster.configure(TEMPLATE, {"DAEMON": daemon, "QUORUM_ONLY": quorum_only,
                                 "PRIMITIVES": "\n".join(each.primitive for each in more),
                                 "MORE": " ".join(each.name for each in more)},
                      also=[QUORUM_ONLY] if quorum_only else [])
    last = services[-1].name
    status = cluster.wait_status("the group runs", lambda seen: bool(seen.on(last)))
    return next(node for node in cluster.nodes if node.name == status.on(last)[0])


def prepare_ipsec(run: Run, node: Node, charon: StockCharon) -> None:
    """The files of a stock xl2tpd, and a charon that knows its connections."""
    StockGateway(node).configure()
    node.put("/run/xl2tpd/.keep", "")
    charon.start()
    run.wait_for(f"charon of {node.name} is ready", charon.ready, READY_LIMIT_S)
    charon.load()


def prepare_more(node: Node, peers: Sequence[str]) -> None:
    """The files of a stock pptpd beside that xl2tpd, and of a device of WireGuard for the clients
    of these nodes."""
    StockPptpd(node).configure()
    low, high = PPTP_POOL
    node.put(PPTPD_CONFIG, re.sub(
        r"^remoteip .*$", f"remoteip {L2TP.net}.{node.spec.id}.{low}-{high}",
        node.read(PPTPD_CONFIG) or "", flags=re.MULTILINE))
    configure_stock(node, peers)


def cut_power(run: Run, cluster: Cluster, active: Node, daemon: str) -> str:
    """Of the node that serves. Returns who has the group afterwards."""
    run.step(f"power cut of {active.name}")
    before = cluster.operations_done("start", daemon)
    active.power_off()
    return cluster.wait_operation("start", daemon, before)


def answered_again(run: Run, clients: Sequence[VpnClient], watched_s: float) -> list[int]:
    """How many pings of each client are answered from now on for so long."""
    answered = [client.answered_pings() for client in clients]
    run.observe(watched_s)
    return [client.answered_pings() - count for client, count in zip(clients, answered)]
