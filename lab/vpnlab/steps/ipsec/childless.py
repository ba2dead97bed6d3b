# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of IKE SAs without a CHILD SA."""
from __future__ import annotations

import re

from ...host.node import Node
from ...product.charon import LOG
from ..live import Live

ENDED = "ike_sas_ended_childless"
ESTABLISHED = re.compile(r"IKE_SA \S+ established")


def established(client: Node) -> int:
    return len(ESTABLISHED.findall(client.read_log(LOG)))


def ended(live: Live, node: Node) -> int:
    """IKE SAs that the node has ended for want of a CHILD SA."""
    return live.stack.status(node)["counters"][ENDED]
