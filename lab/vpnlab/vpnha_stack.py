# SPDX-License-Identifier: GPL-2.0-or-later
"""vpnha on the lab's gateways, as a user would set it up: vpnha.toml, xl2tpd and pppd with the
plugin, the resources of cib-templates/l2tp-gateway.crm. The programs themselves come with the
lab's stage directory."""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from .cluster import TEMPLATES, Cluster
from .errors import LabError
from .l2tp_gateway import (CONFIG, OPTIONS, SECRETS, chap_secrets, l2tp_leftovers, lns_config,
                           ppp_options)
from .lab import Lab
from .node import CommandFailed, Node
from .topology import PPP_LOCAL, VIP_INSIDE, VIP_OUTSIDE

GATEWAY = "l2tp"
CLONE = "checkpoint-clone"
CONFIG_FILE = "/etc/vpnha/vpnha.toml"
ROLE_EVENT = re.compile(r"\bevent=(promoted|demoted|superseded|started|ended)\b")
SYNC_LIMIT_S = 60.0
PROMOTE_LIMIT_S = 60.0


def vpnha_toml() -> str:
    # What every node hands out; the PPP address of the gateways lies outside.
    pools = ", ".join(f'"10.200.{number}.0/24"' for number in (1, 2, 3))
    return f"""\
[gateway.{GATEWAY}]
id = 1

[gateway.{GATEWAY}.outside]
interface = "outside"
addresses = ["{VIP_OUTSIDE}/24"]

[gateway.{GATEWAY}.inside]
interface = "inside"
addresses = ["{VIP_INSIDE}/24"]

[gateway.{GATEWAY}.l2tp]
ppp_local = "{PPP_LOCAL}"
pools = [{pools}]
"""


class VpnhaStack:
    """The whole product on a cluster that is up."""

    def __init__(self, lab: Lab, cluster: Cluster) -> None:
        self._lab = lab
        self._cluster = cluster

    def up(self) -> None:
        """The cluster and vpnha, in sync, with the tuned profile."""
        self._cluster.up()
        self.deploy()
        self._cluster.tune()

    def deploy(self) -> None:
        """Configures all gateways and the cluster; returns when one is promoted and the others
        are in sync."""
        for node in self._cluster.nodes:
            self.configure(node)
        self._cluster.configure(TEMPLATES / "l2tp-gateway.crm",
                                {"GATEWAY": GATEWAY, "XL2TPD_CONFIG": CONFIG})
        self.wait_in_sync()

    def configure(self, node: Node) -> None:
        """The files of one node; also for a node that has just been switched on again."""
        node.put(CONFIG_FILE, vpnha_toml(), mode=0o640)
        node.put(CONFIG, lns_config(node).text())
        node.put(OPTIONS, ppp_options(["plugin vpnha.so", f"vpnha_gateway {GATEWAY}", "noipv6"]))
        node.put(SECRETS, chap_secrets(), mode=0o600)

    def rejoin(self, name: str) -> None:
        """Power on, files, cluster; returns when the node is a standby in sync."""
        self._cluster.power_on(name)
        self.configure(self._lab.gateway(name))
        self._cluster.join(name)
        self.wait_in_sync()
        self._cluster.tune()

    def avoid(self, names: Iterable[str]) -> None:
        """No promotion on these nodes from now on, on any other as before."""
        node = next(each for each in self._cluster.nodes if each.powered())
        node.run("crm_resource", "--clear", "--promoted", "--resource", CLONE)
        for name in names:
            node.run("crm_resource", "--ban", "--promoted", "--resource", CLONE, "--node", name)

    def move_role(self, wanted: Callable[[str], bool]) -> Node:
        """Sees to it that a node with a wanted name is promoted and all are in sync."""
        active = self.wait_in_sync()
        if not wanted(active.name):
            self.avoid([node.name for node in self._cluster.nodes if not wanted(node.name)])
            self._lab.wait_for("the promoted role has moved",
                               lambda: wanted(self.wait_in_sync().name), PROMOTE_LIMIT_S)
            self.avoid([])
            active = self.wait_in_sync()
        return active

    def leftovers(self, node: Node) -> list[str]:
        """Records, tunnels and PPP interfaces of sessions that ended."""
        return [*(f"session of {each['user']}" for each in self.sessions(node)),
                *l2tp_leftovers(node)]

    def status(self, node: Node) -> dict:
        """`vpnha status --json` of a node: its own view of the gateway."""
        status = json.loads(node.run("vpnha", "status", "--json").stdout)
        return next(each for each in status["gateways"] if each["name"] == GATEWAY)

    def sessions(self, node: Node) -> list[dict]:
        return json.loads(node.run("vpnha", "sessions", "--json").stdout)["sessions"]

    def promoted(self) -> Node | None:
        """The node that calls itself promoted; an error when there are two."""
        found = [node for node in self._cluster.nodes
                 if node.powered() and self._role(node) == "promoted"]
        if len(found) > 1:
            raise LabError(f"promoted at once: {', '.join(node.name for node in found)}")
        return found[0] if found else None

    def _role(self, node: Node) -> str:
        try:
            return self.status(node)["role"]
        except CommandFailed:
            return "absent"

    def wait_promoted(self, among: Iterable[str] = (),
                      deadline_s: float = PROMOTE_LIMIT_S) -> Node:
        """Waits until a node, one of the named ones if any are named, is promoted. Reads the
        nodes' logs on the host: asking a node costs its only CPU a process, which is felt in the
        middle of a takeover."""
        names = set(among)

        def ask() -> Node | None:
            return next((node for node in self._cluster.nodes
                         if node.powered() and (not names or node.name in names)
                         and self._logged_role(node) == "promoted"), None)
        node = self._lab.wait_for(f"{' or '.join(sorted(names)) or 'a gateway'} is promoted", ask,
                                  deadline_s)
        assert node is not None
        return node

    def _logged_role(self, node: Node) -> str:
        """The role that vpnhad of the node's present boot logged last."""
        log = node.log_directories()[-1] / "vpnha" / "vpnhad.log"
        if not log.exists():
            return "absent"
        roles = ROLE_EVENT.findall(log.read_text(encoding="utf-8", errors="replace"))
        return roles[-1] if roles else "absent"

    def wait_in_sync(self, deadline_s: float = SYNC_LIMIT_S) -> Node:
        """Waits until one node is promoted and all others that have power are standbys with a
        complete replica; returns the promoted one."""
        def ask() -> Node | None:
            node = self.promoted()
            if node is None:
                return None
            others = [each for each in self._cluster.nodes if each.powered() and each is not node]
            ready = set(self.status(node)["standbys"]) >= {each.spec.id for each in others}
            return node if ready and all(self.status(each)["role"] == "unpromoted"
                                         and self.status(each)["replica"] == "complete"
                                         for each in others) else None
        node = self._lab.wait_for("one gateway is promoted, all others are in sync", ask,
                                  deadline_s, interval_s=0.2)
        assert node is not None
        return node

    def wait_protected(self, count: int, deadline_s: float = 10.0) -> None:
        """Waits until so many sessions are protected at the promoted node and hot at every other
        one."""
        def ask() -> bool:
            node = self.promoted()
            if node is None or self._count(node, lambda state: state in (
                    "protected", "resumed")) != count:
                return False
            return all(self._count(each, lambda state: state == "hot") == count
                       for each in self._cluster.nodes if each.powered() and each is not node)
        self._lab.wait_for(f"{count} sessions are protected and hot", ask, deadline_s,
                           interval_s=0.1)

    def _count(self, node: Node, wanted: Callable[[str], bool]) -> int:
        return sum(wanted(session["state"]) for session in self.sessions(node))
