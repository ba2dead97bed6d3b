# SPDX-License-Identifier: GPL-2.0-or-later
"""What a failover is compared with: IPaddr2 for both addresses and a stock daemon that follow each
other from node to node, on a cluster that is up."""
from __future__ import annotations

from collections.abc import Sequence

from ..host.node import Node
from ..product.client import VpnClient
from ..product.cluster import DIRECTORY, Cluster
from ..product.ipsec_gateway import StockCharon
from ..product.l2tp_gateway import StockGateway
from .run import Run

SERVICE = DIRECTORY / "cluster" / "daemon.lsb.in"
TEMPLATE = DIRECTORY / "cluster" / "control.crm.in"
QUORUM_ONLY = DIRECTORY / "cluster" / "quorum-only.crm.in"
READY_LIMIT_S = 15.0


def put_service(node: Node, daemon: str, pid_file: str, command: str) -> str:
    """The daemon's init script, which `command` starts. Returns its path."""
    path = f"/etc/init.d/{daemon}"
    script = SERVICE.read_text(encoding="utf-8")
    node.put(path, script.replace("@PID_FILE@", pid_file).replace("@COMMAND@", command),
             mode=0o755)
    return path


def deploy(cluster: Cluster, daemon: str, pid_file: str, command: str,
           quorum_only: str = "") -> Node:
    """`command` starts the daemon, whose resource has its name. `quorum_only`: a node that never
    serves. Returns the node that serves."""
    for node in cluster.nodes:
        put_service(node, daemon, pid_file, command)
    cluster.configure(TEMPLATE, {"DAEMON": daemon, "QUORUM_ONLY": quorum_only},
                      also=[QUORUM_ONLY] if quorum_only else [])
    status = cluster.wait_status("the group runs", lambda seen: bool(seen.on(daemon)))
    return next(node for node in cluster.nodes if node.name == status.on(daemon)[0])


def prepare_ipsec(run: Run, node: Node, charon: StockCharon) -> None:
    """The files of a stock xl2tpd, and a charon that knows its connections."""
    StockGateway(node).configure()
    node.put("/run/xl2tpd/.keep", "")
    charon.start()
    run.wait_for(f"charon of {node.name} is ready", charon.ready, READY_LIMIT_S)
    charon.load()


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
