# SPDX-License-Identifier: GPL-2.0-or-later
"""An access concentrator of a provider (LAC): l2tpns of Debian on one node. Users dial it by L2TP,
and it passes their calls on to the VIP, all of them in one tunnel of its own."""
from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence

from ...host.errors import PackageMissing
from ...host.lab import Lab
from ...host.node import Node
from ...host.topology import L2TP
from ..l2tp_client import L2tpClient
from ..l2tp_gateway import USER, chap_secrets
from ..lines import Lines, secrets

PROGRAM = "/usr/sbin/l2tpns"
DIRECTORY, LOG = "/etc/l2tpns", "l2tpns.log"
SECRET = "lac-secret"
# By which it reports that it takes calls.
READY = "I am declaring myself"
START_LIMIT_S = 30.0


def configuration(node: Node, users: Sequence[str]) -> str:
    """It is a cluster of one, which its own network for management is enough for. A user is passed
    on before its password is looked at; PAP, because a CHAP of its own would time out then."""
    return f"""\
set log_file "/var/log/{LOG}"
set pid_file "/run/l2tpns.pid"
set debug 4
set bind_address {node.spec.access_address}
set l2tp_mtu 1500
set radius_authtypes "pap"
set cluster_interface "mgmt"
set cluster_master_min_adv 0
set cluster_hb_interval 5
set cluster_hb_timeout 15
""" + "".join(f"setforward {user} {L2TP.vip_outside} 1701 {SECRET}\n" for user in users)


class Concentrator:
    """Takes calls when it is made."""

    def __init__(self, lab: Lab, node: Node, users: Sequence[str] = (USER,)) -> None:
        if shutil.which(PROGRAM) is None:
            raise PackageMissing("apt-get install l2tpns")
        self.node = node
        self._lab = lab
        self._gateway = dataclasses.replace(L2TP, vip_outside=node.spec.access_address)
        for gateway in lab.gateways:
            gateway.run("mkdir", "-p", "/etc/xl2tpd")
            gateway.put("/etc/xl2tpd/l2tp-secrets", f"* * {SECRET}\n", mode=0o600)
        node.run("mkdir", "-p", DIRECTORY)
        node.put(f"{DIRECTORY}/startup-config", configuration(node, users))
        node.put(f"{DIRECTORY}/ip_pool", "10.99.0.0/24\n")
        node.put(f"{DIRECTORY}/users", "")
        node.start(PROGRAM, stdout=f"/var/log/{LOG}.out", stderr=f"/var/log/{LOG}.out")
        lab.wait_for(f"l2tpns of {node.name} takes calls",
                     lambda: READY in node.read_log(LOG), START_LIMIT_S)

    def dialler(self, node: Node) -> L2tpClient:
        """Of a user, who dials this concentrator and is authenticated by both ends of its call."""
        node.put("/etc/ppp/pap-secrets", chap_secrets(), mode=0o600)
        return L2tpClient(node, gateway=self._gateway)

    def lines(self, node: Node, numbers: range) -> Lines:
        """Of as many users, who dial this concentrator in the same way."""
        node.put("/etc/ppp/pap-secrets", secrets(), mode=0o600)
        return Lines(self._lab, node, numbers, lns=self._gateway.vip_outside)
