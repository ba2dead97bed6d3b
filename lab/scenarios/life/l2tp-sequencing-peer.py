# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that number their L2TP data, which nobody requires, continue over a power cut.

Purpose: the numbers are in the kernel of the node that counts them, and its successor counts from
0. A kernel drops what is half of the 65536 numbers or more ahead. But a client must stop numbering
when its gateway sends a packet without a number (RFC 2661, 5.4), and a successor numbers nothing.
l2tp-unprotected has the sessions whose gateway requires numbers: those end.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; two gateways
on one node. The first one has no option of sequencing, client1's pppd has pppol2tp_send_seq. The
second one's pppds have that option, and client2 and client3 follow.

Steps: the clients dial. client1 makes traffic; client2 sends 36000 packets, client3 a few; then
both only ping. So nothing comes from the server but answers. The power of the node is cut.

Expected: before the power cut client1 numbers its first packets at least, client2 and client3 all
of theirs. All three sessions are protected. After it client1 sees a silence and nothing else;
client2 and client3 see one of at most 1 s and keep their sessions. The successor's first packet in
each session comes at once, without a number, and the client numbers none behind it.
"""
import functools

from vpnlab.evidence.capture_decode import L2tp, read_frames
from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES, L2TP, L2TP_2, VpnGateway
from vpnlab.product.client import VpnClient
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.probes import SERVER_ADDRESS, Pinger
from vpnlab.product.vpnha_stack import VpnhaStack, options_file
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, Span, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
OPTION = "pppol2tp_send_seq"
# The first one is more than half of the numbers, also where a capture lost some.
MANY, FEW = 36000, 100
FLOOD_LIMIT_S = 120
# Before the gateway's own first number, and before the successor's first packet.
FIRST_PACKETS, FIRST_PACKET_S = 2, 4
HALF_OF_THE_NUMBERS = 1 << 15
BEFORE_S, AFTER_S = 2, 8


class NumberingStack(VpnhaStack):
    """Two gateways, of which the second one numbers what it sends."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        path = options_file(L2TP_2)
        node.put(path, f"{node.read(path) or ''}{OPTION}\n")


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0,
                 stack=NumberingStack(run.lab, Cluster(run.lab), (L2TP, L2TP_2)))
    active, second = live.active, live.stack.of(L2TP_2)
    second.move_role(lambda name: name == active.name)
    plain = live.dial("client1", dialler=functools.partial(L2tpClient, ppp=[OPTION]))
    numbered = [run.client(L2tpClient(run.lab.node(name), gateway=L2TP_2))
                for name in ("client2", "client3")]
    for client, count in zip(numbered, (MANY, FEW)):
        client.dial()
        run.step(f"{client.name} sends {count} packets")
        client.node.run("ping", "-f", "-q", "-c", str(count), SERVER_ADDRESS,
                        timeout=FLOOD_LIMIT_S)
    second.wait_protected(len(numbered))
    pingers = [Pinger(client.node, SERVER_ADDRESS) for client in numbered]
    run.observe(BEFORE_S)

    cut_at = run.lab.now()
    successor = live.cut_power(active)
    run.expect("one_successor", second.wait_promoted().name, equals(successor.name))
    run.observe(AFTER_S)
    until = run.lab.now()
    for client, pinger in zip(numbered, pingers):
        expect_short_silence(run, client, pinger.stop(), (cut_at, until))
    for client in numbered:
        client.hang_up()
    seen = live.end()
    expect_only_silence(run, seen.client(plain.name), TAKEOVER_MS)
    run.expect("client1_numbered", sum(numbers(plain, L2TP, (0, cut_at))), at_least(1))
    for client, least in zip(numbered, (HALF_OF_THE_NUMBERS, FEW)):
        before = numbers(client, L2TP_2, (0, cut_at))
        run.expect(f"{client.name}_numbered", sum(before), at_least(least))
        run.expect(f"{client.name}_not_numbered", len(before) - sum(before),
                   at_most(FIRST_PACKETS))
    for client, gateway in ((plain, L2TP), *((client, L2TP_2) for client in numbered)):
        first = first_packet(client, gateway, cut_at)
        run.expect(f"{client.name}_reached_by_the_successor_s", first and round(first - cut_at, 3),
                   at_most(FIRST_PACKET_S))
        run.expect(f"{client.name}_numbered_afterwards",
                   sum(numbers(client, gateway, (first or cut_at, until))), equals(0))


def expect_short_silence(run: Run, client: VpnClient, answers: list[float], span: Span) -> None:
    """Of one session, which is still there."""
    start, end = span
    times = [start, *(at for at in answers if start <= at <= end), end]
    run.expect(f"{client.name}_silence_ms", round(max(
        after - before for before, after in zip(times, times[1:])) * 1000), at_most(TAKEOVER_MS))
    run.expect(f"{client.name}_sessions", [len(client.dialled()), client.gone()],
               equals([1, False]))


def numbers(client: VpnClient, gateway: VpnGateway, span: Span) -> list[bool]:
    """Of each data packet that the client has sent in a time: whether it has a number."""
    start, end = span
    return [frame.ip.upper.ns is not None for frame in read_frames(client.files.outside)
            if start < frame.t <= end and frame.ip is not None
            and frame.ip.dst == gateway.vip_outside and isinstance(frame.ip.upper, L2tp)
            and not frame.ip.upper.control]


def first_packet(client: VpnClient, gateway: VpnGateway, since: float) -> float | None:
    """When the gateway's first data packet without a number came."""
    return next((frame.t for frame in read_frames(client.files.outside)
                 if frame.t > since and frame.ip is not None
                 and frame.ip.src == gateway.vip_outside and isinstance(frame.ip.upper, L2tp)
                 and not frame.ip.upper.control and frame.ip.upper.ns is None), None)
