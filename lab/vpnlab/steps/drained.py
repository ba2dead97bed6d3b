# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway that is drained does to whoever dials."""
from __future__ import annotations

import contextlib

from ..evidence.expectation import at_least, equals
from ..host.errors import TimedOut
from ..host.node import Node
from ..product.client import VpnClient
from ..product.vpnha_stack import VpnhaStack
from .run import Run


def expect_refused(run: Run, newcomer: VpnClient, node: Node, stack: VpnhaStack) -> None:
    """It dials and receives nothing; the gate of that node has dropped what it sent."""
    run.step(f"{newcomer.name} dials, {node.name} is promoted")
    with contextlib.suppress(TimedOut):
        newcomer.dial()
    run.expect(f"dialled_into_{node.name}", len(newcomer.dialled()), equals(0))
    run.expect(f"dropped_by_{node.name}", stack.gate(node)["drops"]["in"]["drained"]["ip"],
               at_least(1))
