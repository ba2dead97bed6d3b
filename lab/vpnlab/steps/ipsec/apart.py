# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, each on a node of its own."""
from __future__ import annotations

from ...host.node import Node
from ...product.vpnha_stack import VpnhaStack
from ..run import Run


def keep_apart(run: Run, first: VpnhaStack, second: VpnhaStack) -> tuple[Node, Node]:
    """Both are in sync and promoted on two nodes, which it returns. A node that serves both gives
    up the second one."""
    one, other = first.wait_in_sync(), second.wait_in_sync()
    if one is not other:
        return one, other
    run.step(f"{one.name} serves both, and gives up {second.gateway.name}")
    return one, second.move_role(lambda name: name != one.name)
