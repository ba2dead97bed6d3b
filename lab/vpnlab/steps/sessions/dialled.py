# SPDX-License-Identifier: GPL-2.0-or-later
"""Three gateways, each promoted on a node of its own, serve as many stock dial-ins of L2TP as the
size of the run is, plain or within IPsec. One of the nodes dies."""
from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence

from ...evidence.expectation import at_most, equals
from ...host.node import BEHIND_THE_OTHERS, Node
from ...host.topology import VpnGateway
from ...product.cluster import Cluster
from ...product.ike_crowd import LineCarriers
from ...product.ipsec_client import L2tpIpsecClient
from ...product.l2tp_client import L2tpClient
from ...product.l2tp_gateway import LnsConfig
from ...product.lines import Lines, LinesStack, silence_ms
from ...product.probes import SERVER_ADDRESS
from ...product.vpnha_stack import VpnhaStack, options_file, xl2tpd_conf
from ..live import begin, off_dc
from ..promise import FAULT_FREE_MS, TAKEOVER_MS, expect_only_silence
from ..run import Run

DIALLING = ("client2", "client3")
FIRST_PORT = 20_000
# Of each part. With three the host of the lab is so busy that leases lapse.
AT_ONCE, REDIAL_S, PINGED, HANG_UPS = 1, 20.0, 8, 25
UP_LIMIT_S, UP_S_A_DIAL, KEPT_LIMIT_S, DOWN_LIMIT_S = 240, 1, 120, 60
# A HELLO each 60 s; five repetitions of it in 31 s.
STAYED_UP_S = 100
POLL_S, LOOK_S = 0.2, 2.0
CALM_S, AFTERWARDS_S = 15, 5
DESCRIPTORS_MAX = 1024
# Of a whole session on the node that serves it; the rest of the node shares in it.
SESSION_KIB = 2048


class DialledStack(LinesStack):
    """Gateways with room for a thousand clients each on every node, and without pppd's scripts:
    Debian's own take a second of a core in a node of the lab."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        for gateway in self._gateways:
            third = 128 + 4 * node.spec.id
            node.put(xl2tpd_conf(gateway), LnsConfig(
                gateway.vip_outside, (f"{gateway.net}.{third}.1", f"{gateway.net}.{third + 3}.254"),
                gateway.ppp_local, options_file(gateway), gateway.l2tp_port).text())
        for script in ("ip-up", "ip-down"):
            node.put(f"/etc/ppp/{script}", "#!/bin/sh\n", mode=0o755)


class Dialling:
    """The lines of a part until all of them are up: a few at a time. They stay up for a while:
    xl2tpd gives a tunnel an id at random, without a look at the others' ids. Where another tunnel
    has it, the new session does not come up, and the other one dies with the next HELLO."""

    def __init__(self, part: Lines) -> None:
        self.repeated = 0
        self._part = part
        self._waiting = list(part.numbers)
        self._since: dict[int, float] = {}
        self._up: set[int] = set()
        self._up_since = 0.0

    def is_done(self) -> bool:
        """Dials those whose turn it is. A line that is not up after a while hangs up, and waits
        for its next turn; so does one that was up."""
        up, now = set(self._part.up()), time.monotonic()
        lost = sorted(self._up - up - {*self._since, *self._waiting})
        self._up_since = self._up_since if up == self._up else now
        self._up = up
        late = [number for number, since in self._since.items()
                if number not in up and now - since > REDIAL_S]
        self._part.hang_up(late)
        self.repeated += len(late) + len(lost)
        self._since = {number: since for number, since in self._since.items()
                       if number not in up and number not in late}
        room = AT_ONCE - len(self._since)
        turn, self._waiting = self._waiting[:room], [*self._waiting[room:], *late, *lost]
        self._part.dial(turn)
        self._since |= dict.fromkeys(turn, now)
        return not self._since and not self._waiting and now - self._up_since > STAYED_UP_S


def outlive(run: Run, gateways: Sequence[VpnGateway], ipsec: bool = False) -> None:
    """`ipsec`: each dial-in has an IKE SA and a CHILD SA of its own."""
    each = max(1, run.size // len(gateways) // len(DIALLING))
    live = begin(run, clients=(), place=off_dc, observe_s=0,
                 stack=DialledStack(run.lab, Cluster(run.lab), gateways, ipsec=ipsec))
    for gateway, node in zip(gateways[1:], live.standbys):
        live.stack.of(gateway).move_role(lambda name: name == node.name)
    dialler = L2tpIpsecClient if ipsec else L2tpClient
    client = run.client(dialler(run.lab.node("client1"), gateway=gateways[0]))
    client.dial()
    live.clients.append(client)

    # An IKE SA is a session in what a node counts.
    wanted = {gateway.name: (1 + ipsec) * (each * len(DIALLING) + (gateway is client.gateway))
              for gateway in gateways}
    free = used_kib(live.active)
    lines = [(gateway, name, range(first, first + each)) for first, (name, gateway) in
             zip(itertools.count(0, each), itertools.product(DIALLING, gateways))]
    carriers = [LineCarriers(run.lab, run.lab.node(name), {
        numbers: gateway for gateway, dialling, numbers in lines if dialling == name},
        FIRST_PORT) for name in DIALLING] if ipsec else []
    if carriers:
        run.step(f"{' and '.join(DIALLING)} set up {each * len(lines)} SAs")
        begun = run.lab.now()
        for carrier in carriers:
            carrier.dial()
        run.step(f"{each * len(lines) / (run.lab.now() - begun):.1f} SAs a second")
    run.step(f"{' and '.join(DIALLING)} dial {each} times to each of {', '.join(wanted)}")
    parts = [(gateway, Lines(run.lab, run.lab.node(name), numbers, lns=gateway.vip_outside,
                             first_port=FIRST_PORT)) for gateway, name, numbers in lines]
    for _, part in parts:
        part.start()
    begun = run.lab.now()
    dialling = [Dialling(part) for _, part in parts]
    dialled = each * len(parts)
    limit_s = UP_LIMIT_S + UP_S_A_DIAL * dialled
    run.lab.wait_for("all are up", lambda: all([one.is_done() for one in dialling]), limit_s,
                     POLL_S)
    took = run.lab.now() - begun - STAYED_UP_S
    wait_kept(run, live.stack, wanted)
    run.expect("dialled_s", round(took, 1), at_most(limit_s))
    run.step(f"{dialled / took:.1f} dials a second; {sum(one.repeated for one in dialling)} were "
             f"repeated; {live.active.name} uses {used_kib(live.active) >> 10} MB")
    run.expect("session_kib", round((used_kib(live.active) - free) / (each * len(DIALLING))),
               at_most(SESSION_KIB))
    run.expect("xl2tpd_descriptors", max(map(descriptors, live.stack.cluster.nodes)),
               at_most(DESCRIPTORS_MAX))
    expect_answered(run, "before", parts)
    # More than the lines: a repeated dial may have come up in the end as well.
    set_up = [part.sessions() for _, part in parts]

    # Real clients share no core with a gateway.
    for node in live.stack.cluster.nodes:
        node.prefer(BEHIND_THE_OTHERS)
    client.start_traffic()
    for _, part in parts:
        part.start_pings(part.numbers[:PINGED], SERVER_ADDRESS)
    run.observe(CALM_S)
    live.cut_power(live.active)
    run.observe(AFTERWARDS_S)
    calm, silences = end_pings(run, parts, run.lab.faults[-1].t)
    wait_kept(run, live.stack, wanted)
    run.step(f"the longest silences before the cut, in ms: {calm}")
    run.expect("lost_node_ms", silences.pop(client.gateway.name), at_most(TAKEOVER_MS))
    run.expect("other_nodes_ms", max(silences.values()), at_most(FAULT_FREE_MS))
    expect_answered(run, "after", parts)
    run.expect("set_up", [part.sessions() for _, part in parts], equals(set_up))

    client.stop_traffic()
    run.step("all hang up")
    for first in range(0, each, HANG_UPS):
        for _, part in parts:
            part.hang_up(part.numbers[first:first + HANG_UPS])
        run.lab.wait_for("they are down", lambda: not any(
            part.up() & set(part.numbers[:first + HANG_UPS]) for _, part in parts), DOWN_LIMIT_S,
            POLL_S)
    for carrier in carriers:
        carrier.hang_up()
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def wait_kept(run: Run, stack: VpnhaStack, wanted: dict[str, int]) -> None:
    """Asked of `status`: a list takes longer. So many sessions of each gateway are protected where
    it is promoted, and hot elsewhere."""
    def kept(node: Node) -> bool:
        found = {each["name"]: each["sessions"]["protected" if each["role"] == "promoted"
                                                else "hot"]
                 for each in stack.node_status(node)["gateways"]}
        return found == wanted
    run.lab.wait_for(f"{wanted} are protected and hot", lambda: all(
        kept(node) for node in stack.cluster.nodes if node.powered()), KEPT_LIMIT_S, LOOK_S)


def used_kib(node: Node) -> int:
    """Memory of the whole node, without what the kernel would give back."""
    fields = dict(line.split(":") for line in (node.read("/proc/meminfo") or "").splitlines())
    total, available = (int(fields[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    return total - available


def descriptors(node: Node) -> int:
    """Of the xl2tpd that has most of them."""
    return max(len(node.run("ls", f"/proc/{pid}/fd").stdout.split())
               for pid in node.running("xl2tpd"))


def end_pings(run: Run, parts: Iterable[tuple[VpnGateway, Lines]],
              cut: float) -> tuple[dict[str, float], dict[str, float]]:
    """By gateway, the longest silence of its sessions before `cut`, and the one after it."""
    until = run.lab.now()
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    for gateway, part in parts:
        for answers in part.end_pings().values():
            early = [each for each in answers if each.t <= cut]
            late = [*early[-1:], *(each for each in answers if cut < each.t <= until)]
            for found, silence in ((before, silence_ms(early, cut)),
                                   (after, silence_ms(late, until))):
                found[gateway.name] = max(found.get(gateway.name, 0.0), silence)
    return before, after


def expect_answered(run: Run, when: str, parts: list[tuple[VpnGateway, Lines]]) -> None:
    run.expect(f"answered_{when}", [len(part.answered(SERVER_ADDRESS)) for _, part in parts],
               equals([len(part.numbers) for _, part in parts]))
