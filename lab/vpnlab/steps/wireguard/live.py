# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenarios of WireGuard begin and end with: gateways that serve it beside L2TP, stock clients
under traffic; who of the gateways has begun a handshake."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...evidence.capture_decode import Frame, Wireguard, read_frames
from ...host.node import Node
from ...host.topology import L2TP, NAT
from ...product.cluster import Cluster
from ...product.radius_stack import RadiusStack
from ...product.sites.home import start_nat
from ...product.vpnha_stack import VpnhaStack
from ...product.wireguard.stock import INTERFACE, PORT, WireguardClient, peers_file
from ..live import Live, Place, anywhere, begin
from ..promise import Span
from ..run import Run

INITIATION, RESPONSE = 1, 2


def begin_wireguard(run: Run, place: Place = anywhere, observe_s: float = 3.0,
                    clients: Sequence[str] = ("client1",), further_peers: str = "",
                    accounts: bool = False, probe: str = "") -> Live:
    """They have shaken hands, are protected, and make traffic. `further_peers`: sections of those
    that the gateways know as well. `accounts`: vpnhad accounts for them; the server is a
    RadiusServer. `probe`: as of the stack."""
    if NAT in run.lab.nodes:
        start_nat(run.lab)
    peers = peers_file(clients) + further_peers
    stack = (RadiusStack(run.lab, wireguard=peers) if accounts else
             VpnhaStack(run.lab, Cluster(run.lab), waiting=(L2TP,) if run.waiting else (),
                        wireguard=peers, probe=probe))
    live = begin(run, clients=(), place=place, observe_s=0, stack=stack)
    for name in clients:
        run.step(f"{name} shakes hands")
        client = run.client(WireguardClient(run.lab.node(name)))
        client.dial()
        live.clients.append(client)
        # Each peer has a record, whether its client has ever sent anything or not.
        live.stack.wait_protected(peers.count("[Peer]"))
        client.start_traffic()
    run.observe(observe_s)
    return live


def initiations(pcaps: Iterable[Path], span: Span) -> int:
    """How many handshakes the gateways, whose captures these are, began in that time."""
    return len(messages(pcaps, INITIATION, span, of_gateway=True))


def messages(pcaps: Iterable[Path], kind: int, span: Span, of_gateway: bool) -> list[Frame]:
    """Of that kind, which gateways sent in that time, or clients."""
    start, end = span
    return [frame for path in pcaps for frame in read_frames(path)
            if frame.ip is not None and isinstance(frame.ip.upper, Wireguard)
            and frame.ip.upper.kind == kind and start <= frame.t < end
            and (frame.ip.sport if of_gateway else frame.ip.dport) == PORT]


def transfer(node: Node) -> dict[str, int]:
    """What a client's own WireGuard has counted: `wg show DEVICE transfer`."""
    received, sent = node.run("wg", "show", INTERFACE, "transfer").stdout.split()[1:]
    return {"Output": int(received), "Input": int(sent)}


def endpoints(node: Node) -> list[str]:
    """Where a client sends to: `wg show DEVICE endpoints`."""
    return node.run("wg", "show", INTERFACE, "endpoints").stdout.split()[1::2]
