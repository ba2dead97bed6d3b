# SPDX-License-Identifier: GPL-2.0-or-later
"""The network namespace of a gateway on a node, made by the very lines of vpnha-netns@.service: a
node of the lab has no systemd."""
from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..host.node import Node
from ..host.stage import ROOT
from ..host.topology import NETWORKS, SYSCTL_CONF, VpnGateway

UNIT = ROOT / "daemon" / "vpnha-netns@.service"
DIRECTORY = "/etc/vpnha/netns"
SIDES = ("outside", "inside")
# The last byte of the node's own addresses within: 60, ten for each id of a gateway, and the
# node's id. Gateway 4 would meet the VIPs, which begin at 100.
OFFSET, OF_GATEWAY = 60, 10


def links_file(node: Node, gateway: VpnGateway) -> str:
    """What `ip -batch` does in the host's namespace. Names that are taken there are refused."""
    return "".join(f"link add link {side} name {_new_name(gateway, side)} "
                   f"address {node.spec.mac(side, gateway.id)} netns {gateway.netns} "
                   "type macvlan mode bridge\n" for side in SIDES)


def setup_file(node: Node, gateway: VpnGateway) -> str:
    """What it does within."""
    return "".join(f"link set {_new_name(gateway, side)} name {side}\n"
                   f"address add {_own_address(node, gateway, side)} dev {side}\n"
                   f"link set {side} up\n" for side in SIDES)


def _new_name(gateway: VpnGateway, side: str) -> str:
    return f"{gateway.netns}-{side}"


def _own_address(node: Node, gateway: VpnGateway, side: str) -> str:
    net, _, length = NETWORKS[side].prefix.partition("/")
    last = OFFSET + OF_GATEWAY * gateway.id + node.spec.id
    return f"{net.rpartition('.')[0]}.{last}/{length}"


def start_lines(unit: str, netns: str) -> Iterator[tuple[list[str], bool]]:
    """The commands of a unit's start, and whether each has to succeed."""
    for line in unit.splitlines():
        key, _, command = line.partition("=")
        if key == "ExecStart":
            may_fail = command.startswith("-")
            yield shlex.split(command.removeprefix("-").replace("%i", netns)), not may_fail


def make(node: Node, gateway: VpnGateway) -> None:
    """On a node that has not made it since its start."""
    if node.run("ip", "-n", gateway.netns, "link", check=False).code == 0:
        return
    node.put("/etc/sysctl.d/60-vpnha.conf", SYSCTL_CONF.read_text("utf-8"))
    node.put(f"{DIRECTORY}/{gateway.netns}.links", links_file(node, gateway))
    node.put(f"{DIRECTORY}/{gateway.netns}.setup", setup_file(node, gateway))
    for command, must_succeed in start_lines(UNIT.read_text("utf-8"), gateway.netns):
        node.run(*command, check=must_succeed)
