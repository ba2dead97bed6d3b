# SPDX-License-Identifier: GPL-2.0-or-later
"""pppd's scripts on gateways: each notes how it was called, by a pppd or by vpnhad."""
from __future__ import annotations

import re

from ...host.node import Node
from ...product.vpnha_stack import VpnhaStack
from ..run import Run

LOG = "/run/lab/scripts.log"
# Who calls it, how, and whether CONNECT_TIME is there.
NOTE = f"""\
#!/bin/sh
echo "${{0##*/}} by=${{VPNHA_RESUMED:-pppd}} args=$# if=$1 $4 $5 $6" \\
    "user=$PEERNAME same=$([ "$1" = "$IFNAME" ] && echo yes) time=${{CONNECT_TIME:+known}}" >>{LOG}
"""
RUN_LIMIT_S = 10


def prepare(node: Node) -> None:
    for script in ("ip-up", "ip-down", "ipv6-up", "ipv6-down"):
        node.put(f"/etc/ppp/{script}", NOTE, mode=0o755)


def let_fail(node: Node, script: str) -> None:
    node.put(f"/etc/ppp/{script}", NOTE + "exit 3\n", mode=0o755)


def noted(node: Node) -> list[list[str]]:
    """The words of each call."""
    return [without_zeros(line).split() for line in (node.read(LOG) or "").splitlines()]


def without_zeros(line: str) -> str:
    """pppd writes the groups of an address of IPv6 with leading zeros."""
    return re.sub(r"(?<=:)0+(?=[0-9a-f])", "", line)


def wait_noted(run: Run, node: Node, count: int) -> None:
    run.wait_for(f"{node.name} has run {count} scripts", lambda: len(noted(node)) >= count,
                 RUN_LIMIT_S)


def unnumbered(call: list[str]) -> list[str]:
    """Without the number that the node's kernel gave the interface."""
    return [re.sub(r"^(if=[a-z-]+)\d+$", r"\1", word) for word in call]


def undone(call: list[str]) -> list[str]:
    """The call that this one undoes, by vpnhad."""
    return [call[0].replace("-down", "-up"), *call[1:-1], call[-1].replace("known", "")]


def by_pppd(call: list[str]) -> list[str]:
    return [word.replace("by=1", "by=pppd") for word in call]


def counted(stack: VpnhaStack, node: Node, result: str) -> float:
    return stack.metrics(node)[f'vpnha_scripts_total{{result="{result}"}}']
