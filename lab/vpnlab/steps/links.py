# SPDX-License-Identifier: GPL-2.0-or-later
"""A link of the gateway is lost while the cluster links live: what such scenarios do and expect."""
from __future__ import annotations

from ..evidence.expectation import equals, is_empty
from ..host.node import Node
from ..host.topology import NODES
from ..product.vpnha_stack import CONFIG_FILE, VpnhaStack
from .live import Live, begin
from .promise import expect_only_silence
from .run import Run

# 0.2 s until it is given away, and a handover.
OUTAGE_MS = 700
ROUTER = "client2"
SERVER = "server"


def begin_with_carriers(run: Run, network: str) -> Live:
    """A session under traffic, on gateways whose link to that network can lose its carrier."""
    for node in run.lab.gateways:
        node.sense_carrier(network)
    return begin(run)


def lose_link(run: Run, network: str) -> None:
    """The promoted node's link loses its carrier, and another node serves."""
    lose_link_of(run, begin_with_carriers(run, network), network)


def lose_link_of(run: Run, live: Live, network: str) -> None:
    """The same of clients that are there. Pacemaker moves the role as an administrator would: it
    counts no failure."""
    run.step(f"{live.active.name}, which is promoted, loses the carrier of its {network} link")
    promotions = live.stack.promotions()
    live.active.lose_carrier(network)
    live.stack.wait_promoted(node.name for node in live.standbys)
    live.wait_answered()
    live.stack.wait_protected(1)
    run.observe(2)
    run.expect("moves", live.stack.promotions() - promotions, equals(1))
    run.expect("failures", list(live.stack.cluster.status().failures), is_empty())
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)


class ProbingStack(VpnhaStack):
    """vpnha that asks a router outside and a server inside whether they are there."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        neighbours = (f"\n[gateway.{self.gateway.name}.links]\n"
                      f'outside_neighbours = ["{NODES[ROUTER].address("outside")}"]\n'
                      f'inside_neighbours = ["{NODES[SERVER].address("inside")}"]\n')
        node.put(CONFIG_FILE, node.get(CONFIG_FILE).decode() + neighbours, mode=0o640)
