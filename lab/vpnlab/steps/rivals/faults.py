# SPDX-License-Identifier: GPL-2.0-or-later
"""One fault of the node that serves, under a session of each protocol: what their clients see, and
for how long two nodes speak for the gateway. Nobody dials again by himself, so a session that is
lost stays lost; WireGuard shakes hands again by itself."""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ...evidence.expectation import equals
from ...evidence.measure import Measured
from ...evidence.result import ClientResult
from ...history.violations import KINDS
from ...host.node import Node
from ...product.dialler import MakeDialler
from ...host.topology import L2TP, NAT
from ...product.sites.home import start_nat
from ..mixed.mix import PACE
from ..partition import CLUSTER_LINKS
from ..promise import Span, worst_gap_ms
from ..run import Run

LINKS = (*CLUSTER_LINKS, "outside", "inside")
CALM_S = 3.0
# Until it counts as lost, what is not answered again. WireGuard begins a handshake when it has sent
# for 15 s and received nothing, and again each 5 s: it is back within 40 s.
WATCHED_S = 45.0
AFTERWARDS_S = 5.0
# At the end of that a session that was kept has answers.
ANSWERED_S = 1.0
SERVES_LIMIT_S = 60.0
FILE = "comparison.json"
# Of who is compared with vpnha, for the history of a run.
UNPROMISED = dict.fromkeys(KINDS, "nothing here promises that it is not so")


class Rival(Protocol):
    """A pair or a cluster of gateways. `keeps`: what it promises is that sessions continue.
    `clients`: what it serves, by their nodes. `one_owner`: of its addresses, at a time."""

    keeps: bool
    one_owner: bool
    clients: Mapping[str, MakeDialler]

    def up(self) -> None:
        """Returns when clients may dial."""

    def serving(self) -> Node | None: ...

    def settle(self, sessions: int) -> None:
        """Returns when its standbys know as much of so many sessions as they ever do."""

    def move(self, active: Node) -> None:
        """Orders another node to serve, as its documentation has it, and waits for nothing."""


def _move(rival: Rival, node: Node) -> None:
    node.note_fault("planned move")
    rival.move(node)


def _cut_power(_rival: Rival, node: Node) -> None:
    node.power_off()


def _freeze(_rival: Rival, node: Node) -> None:
    node.freeze()


def _isolate(_rival: Rival, node: Node) -> None:
    for link in LINKS:
        node.link_down(link)


def _nothing(_node: Node) -> None:
    pass


def _mend(node: Node) -> None:
    for link in LINKS:
        node.link_up(link)


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is done to the node, and what ends it if the node still has power then."""

    name: str
    act: Callable[[Rival, Node], None]
    end: Callable[[Node], None] = _nothing


# A run has the one that its seed names.
FAULTS = (Fault("planned move", _move), Fault("power cut", _cut_power),
          Fault("freeze", _freeze, Node.thaw), Fault("partition", _isolate, _mend))


def compare(run: Run, rival: Rival) -> None:
    """Writes FILE beside the result."""
    run.pace = PACE
    if NAT in run.lab.nodes:
        start_nat(run.lab)
    rival.up()
    run.start_echo_server()
    active = run.wait_for("one gateway serves", rival.serving, SERVES_LIMIT_S)
    run.step(f"all dial; {active.name} serves them")
    clients = [run.client(make(run.lab.node(name), gateway=L2TP))
               for name, make in rival.clients.items()]
    for client in clients:
        client.dial()
    rival.settle(len(clients))
    for client in clients:
        client.start_traffic()
    run.observe(CALM_S)
    fault = FAULTS[run.seed % len(FAULTS)]
    run.step(f"{fault.name}: {active.name}; {WATCHED_S:g} s more")
    began = run.lab.now()
    fault.act(rival, active)
    run.observe(WATCHED_S)
    until = run.lab.now()
    if active.powered():
        fault.end(active)
    run.observe(AFTERWARDS_S)
    for client in clients:
        client.stop_traffic()
    seen = run.measure()
    found = figures(fault.name, seen, (began, until), rival.one_owner)
    (run.out / FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    run.expect("clients", len(found["clients"]), equals(len(clients)))
    if rival.keeps:
        for each in found["clients"]:
            run.expect(f"{each['protocol']}_kept", each["kept"], equals(True))


def figures(fault: str, seen: Measured, span: Span, one_owner: bool = True) -> dict[str, Any]:
    return {"fault": fault, "two_owners_ms": seen.vip.overlap_ms if one_owner else None,
            "clients": [_of_client(client, span) for client in seen.clients]}


def _of_client(client: ClientResult, span: Span) -> dict[str, Any]:
    """`kept`: its session has answers at the end of the span."""
    _, until = span
    kept = any(until - ANSWERED_S < sent < until for sent, rtt in client.series.pings
               if rtt is not None)
    return {"protocol": client.protocol, "kept": kept,
            "silence_ms": worst_gap_ms(client, span) if kept else None}
