# SPDX-License-Identifier: GPL-2.0-or-later
"""How nearly every scenario of vpnha begins and ends: three gateways in sync, clients with live
sessions under traffic; in the end all hang up, nothing is left, and what happened is measured."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from ..evidence.expectation import equals
from ..evidence.measure import Measured
from ..host.node import Node
from ..host.power import power_events
from ..host.topology import L2TP, VpnGateway
from ..product.client import VpnClient
from ..product.cluster import Cluster
from ..product.dialler import MakeDialler
from ..product.l2tp_client import L2tpClient
from ..product.vpnha_stack import VpnhaStack
from .promise import Span, expect_silent_standbys, expect_unnoticed
from .run import Run

LEFTOVERS_LIMIT_S = 15
RESUME_LIMIT_S = 10
# Of the default token: a lost node is noticed after token and consensus, 8 s.
LOST_LIMIT_S = 14
# Of a node that is to lose its power.
FENCED_LIMIT_S = 30
# Before and after a planned move: its client's traffic flows.
CALM_S = 2

# Of a node's name and the DC's: whether the promoted role may begin there.
Place = Callable[[str, str], bool]


def anywhere(_name: str, _dc: str) -> bool:
    return True


def on_dc(name: str, dc: str) -> bool:
    return name == dc


def off_dc(name: str, dc: str) -> bool:
    return name != dc


@dataclasses.dataclass
class Live:
    """A stack that is up, and its clients in the order in which they dialled."""

    run: Run
    stack: VpnhaStack
    # Promoted, and the cluster's DC, at the beginning.
    active: Node
    dc: str
    clients: list[VpnClient] = dataclasses.field(default_factory=list)

    @property
    def client(self) -> VpnClient:
        return self.clients[0]

    @property
    def standbys(self) -> list[Node]:
        """The gateways that were not promoted at the beginning."""
        return [node for node in self.stack.cluster.nodes if node is not self.active]

    @property
    def plain_standby(self) -> Node:
        """A standby that is not the DC; the other one is it, if the promoted node is not."""
        return next(node for node in self.standbys if node.name != self.dc)

    def dial(self, name: str, gateway: VpnGateway = L2TP,
             dialler: MakeDialler = L2tpClient) -> VpnClient:
        """One more client; returns when its session is protected and its traffic flows. A dialler
        may find another gateway than the one that it was given."""
        client = self.run.client(dialler(self.run.lab.node(name), gateway=gateway))
        client.dial()
        self.clients.append(client)
        self.stack.of(client.gateway).wait_protected(
            sum(each.gateway is client.gateway for each in self.clients))
        client.start_traffic()
        return client

    def dial_all(self, diallers: Mapping[str, MakeDialler]) -> None:
        """The clients of these nodes, one after the other."""
        for name, dialler in diallers.items():
            self.run.step(f"{name} dials")
            self.dial(name, dialler=dialler)

    def wait_answered(self, client: VpnClient | None = None,
                      deadline_s: float = RESUME_LIMIT_S) -> None:
        """Waits until a ping that is sent from now on is answered."""
        watched = client or self.client
        answered = watched.answered_pings()
        self.run.wait_for(f"pings of {watched.name} are answered again",
                          lambda: watched.answered_pings() > answered, deadline_s)

    def spare_promoted(self, *others: Node) -> None:
        """What is measured next is that clients of the promoted node notice nothing of what
        happens to the standbys, and to `others`: they have none of its core of the host."""
        self.run.lab.share_cores([*self.standbys, *others],
                                 [self.active, *(client.node for client in self.clients)])

    def spare_from_promoted(self) -> None:
        """What is measured next is that clients of the promoted node notice nothing of what is
        done to it: nobody else has its core of the host, and takes of the time it needs."""
        self.run.lab.share_cores([*self.standbys, *(client.node for client in self.clients)],
                                 [self.active])

    def cut_power(self, node: Node, meanwhile: Callable[[], object] = lambda: None) -> Node:
        """Cuts the power of the promoted node; returns its successor when the first client's
        pings are answered again. `meanwhile` happens behind the cut."""
        self.stack.cluster.spare_successors(node)
        self.run.step(f"power cut of {node.name}, which is promoted")
        node.power_off()
        meanwhile()
        successor = self.stack.wait_promoted()
        self.wait_answered()
        self.run.step(f"{successor.name} has resumed what {node.name} served")
        return successor

    def move_role(self, target: Node) -> tuple[Span, Span]:
        """Moves the role to a node by a ban of all others, as an administrator does. Returns a calm
        time before the move, and the time from its order until the clients are protected again."""
        holder = self.stack.wait_in_sync()
        others = [node for node in self.stack.cluster.nodes if node is not target]
        # In life no two gateways have one processor.
        self.run.lab.share_cores(others, [target])
        calm_from = self.run.lab.now()
        self.run.observe(CALM_S)
        self.run.step(f"the role moves from {holder.name}, which lives, to {target.name}")
        begun = self.run.lab.now()
        self.stack.move_role(lambda name: name == target.name)
        self.stack.wait_protected(len(self.clients))
        self.run.observe(CALM_S)
        return (calm_from, begun), (begun, self.run.lab.now())

    def lose(self, standby: Node) -> None:
        """Cuts the power of a standby; returns when the group has lost it."""
        standby.power_off()
        self.run.wait_for(f"the group has lost {standby.name}",
                          lambda: standby.spec.id not in self.stack.members(self.active),
                          LOST_LIMIT_S)

    def wait_fenced(self, victim: Node, since: float) -> None:
        """Returns when the cluster has switched the node off, which would end its next life."""
        self.run.wait_for(f"{victim.name} is switched off by the cluster", lambda: any(
            event.action == "off" and event.node == victim.name and event.done >= since
            for event in power_events(self.run.lab)), FENCED_LIMIT_S)

    def end(self, accepts: Collection[str] = ()) -> Measured:
        """All hang up; nothing is left of them; one owner at a time spoke for the gateway. Of the
        invariants that a scenario accepts to be broken, it gives the reason."""
        self.hang_up()
        self.run.expect_nothing_left(self.run.lab.gateways, self.stack.leftovers,
                                     LEFTOVERS_LIMIT_S)
        return self.measure(accepts)

    def hang_up(self) -> None:
        for client in self.clients:
            if client.traffic_until is None:
                client.stop_traffic()
        self.run.step(f"{', '.join(client.name for client in self.clients)}: hang up")
        for client in self.clients:
            client.hang_up()

    def measure(self, accepts: Collection[str] = ()) -> Measured:
        seen = self.run.measure()
        expect_silent_standbys(self.run, seen, accepts)
        return seen


def begin(run: Run, clients: Sequence[str] = ("client1",), place: Place = anywhere,
          observe_s: float = 2.0, fencing: Path | None = None,
          members: Sequence[str] = (), stack: VpnhaStack | None = None,
          waiting: bool = False, ipsec: bool = False) -> Live:
    """vpnha on all gateways, in sync, with the promoted role at the wanted place; the clients'
    sessions are protected and their traffic has flown for `observe_s`. `fencing`: a topology of
    stonith/ instead of power alone. `members`: gateways of the lab, if not all. `stack`: one that
    is set up in another way. `waiting`: the standbys wait for Pacemaker. `ipsec`: the
    gateway speaks IKEv2, and L2TP within IPsec only."""
    stack = stack or VpnhaStack(run.lab, Cluster(run.lab, members=members), fencing=fencing,
                                waiting=(L2TP,) if waiting or run.waiting else (), ipsec=ipsec)
    run.step("corosync, pacemaker and vpnha start on "
             f"{', '.join(node.name for node in stack.cluster.nodes)}")
    stack.up()
    dc = stack.cluster.status().dc
    live = Live(run, stack, stack.move_role(lambda name: place(name, dc)), dc)
    stack.cluster.spare_successors(live.active)
    run.start_echo_server()
    live.dial_all(dict.fromkeys(clients, L2tpClient))
    run.step(f"{live.active.name} serves {', '.join(clients) or 'nobody yet'}; "
             f"{dc} is the cluster's DC")
    run.observe(observe_s)
    return live


def expect_unnoticed_act(run: Run, act: Callable[[Live], None], observe_s: float = 6.0) -> None:
    """What is done to the promoted node under a session's traffic is nothing to its client, and
    promotes nobody; held against as long a time before it."""
    live = begin(run, observe_s=0)
    live.spare_from_promoted()
    promotions = live.stack.promotions()
    calm_from = run.lab.now()
    run.observe(observe_s)
    acted_at = run.lab.now()
    act(live)
    run.observe(observe_s)
    until = run.lab.now()
    run.expect("promotions", live.stack.promotions(), equals(promotions))
    seen = live.end()
    expect_unnoticed(run, seen.client("client1"), (calm_from, acted_at), (acted_at, until))
