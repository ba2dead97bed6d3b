# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients behind the gateway's NAT: the rules of the template on every gateway, a server that knows
no way to the clients, streams and datagrams through it, and what the gateways' kernels and the wire
show of them."""
from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..evidence.capture_decode import IP_UDP, TCP_RST, Tcp, read_frames
from ..evidence.expectation import equals
from ..host.lab import Lab
from ..host.node import TOOLS, Background, Node
from ..host.topology import L2TP, NODES, VPN_GATEWAYS, VpnGateway
from ..product.probes import ECHO_PORT, SERVER_ADDRESS
from ..product.ruleset import load_rules
from ..steps.live import Live
from ..steps.run import Run

NETFILTER = "/proc/sys/net/netfilter"
# A pool of the gateway that no node of a scenario hands out: gw4's.
MADE_UP = f"{L2TP.net}.{NODES['gw4'].id}.0/24"
CONNECT_LIMIT_S = 60.0
# Longer than the last round of streams.py.
STOP_LIMIT_S = 30.0
LIST_LIMIT_S = 120.0


def prepare(lab: Lab, gateways: Sequence[VpnGateway] = (L2TP,)) -> None:
    """Before the cluster starts: NAT on every gateway, and no other way back for the server."""
    for node in lab.gateways:
        for gateway in gateways:
            load_rules(node, gateway)
    for gateway in VPN_GATEWAYS:
        lab.node("server").run("ip", "route", "del", gateway.addresses)


def rejoin(live: Live, node: Node) -> None:
    """Power on, rules as prepare() has them, files, cluster; returns when the node is a standby in
    sync."""
    stack = live.stack
    stack.cluster.power_on(node.name)
    load_rules(node, stack.gateway)
    stack.configure(node)
    stack.cluster.join(node.name)
    stack.wait_in_sync()
    stack.cluster.tune()


@dataclasses.dataclass(frozen=True)
class Flow:
    """An entry of a gateway's connection tracking. Tuples as "ADDRESS:PORT>ADDRESS:PORT"; where a
    protocol has no ports, keys or identifiers stand there."""

    protocol: int
    original: str
    reply: str
    status: int
    timeout_s: int
    helper: str = ""
    # Position, offset before it, offset behind it.
    adjusted_original: tuple[int, ...] = ()
    adjusted_reply: tuple[int, ...] = ()

    @property
    def name(self) -> tuple[int, str]:
        return self.protocol, self.original


def parse_flows(text: str) -> list[Flow]:
    """What `flows.py list` prints."""
    return [Flow(**{name: tuple(value) if isinstance(value, list) else value
                    for name, value in each.items()}) for each in json.loads(text)]


def run_flows(node: Node, *arguments: str, timeout: float = LIST_LIMIT_S) -> str:
    return node.run("/usr/bin/python3", "-IuS", f"{TOOLS}/flows.py", *arguments,
                    timeout=timeout).stdout


def flows(node: Node, net: str = L2TP.addresses, port: int | None = None) -> list[Flow]:
    """The node's flows of clients in the net; only those to a server's port, if one is given. Costs
    the node's only CPU an interpreter: not in the middle of a takeover."""
    found = parse_flows(run_flows(node, "list", net))
    return found if port is None else [each for each in found
                                       if each.original.endswith(f":{port}")]


@dataclasses.dataclass(frozen=True)
class Announced:
    """A connection that a helper expects; `original` is the tuple of the one that announced it."""

    protocol: int
    original: str
    expected: str
    timeout_s: int


def expectations(node: Node, net: str = L2TP.addresses) -> list[Announced]:
    """What the node's helpers expect because of clients in the net."""
    return [Announced(**each) for each in json.loads(run_flows(node, "expectations", net))]


@dataclasses.dataclass(frozen=True)
class Digest:
    """How many flows a node has of clients in a net, and a hash of their tuples."""

    flows: int
    digest: str


def digest(node: Node, net: str) -> Digest:
    return Digest(**json.loads(run_flows(node, "digest", net)))


def add_flows(node: Node, count: int) -> int:
    """Puts made-up flows of clients in MADE_UP into the node's kernel; how many it refused."""
    return _change(node, "add", count)


def remove_flows(node: Node, count: int) -> int:
    """The first ones of them."""
    return _change(node, "remove", count)


def _change(node: Node, command: str, count: int) -> int:
    return json.loads(run_flows(node, command, MADE_UP, str(count), SERVER_ADDRESS,
                                L2TP.vip_inside))["refused"]


def tracked(node: Node) -> int:
    """All entries of the node's kernel; costs it nothing."""
    return int(node.read(f"{NETFILTER}/nf_conntrack_count") or 0)


def translations(found: Iterable[Flow]) -> dict[tuple[int, str], str]:
    """What NAT made of each flow: as whom the server knows its client."""
    return {each.name: each.reply.partition(">")[2] for each in found}


def moved(before: Iterable[Flow], after: Iterable[Flow]) -> list[str]:
    """Flows of the first list that the second one does not have, or has with another translation:
    for the server they are gone."""
    now = translations(after)
    return [f"{name[1]}: {was} became {now.get(name)}"
            for name, was in translations(before).items() if now.get(name) != was]


def resets_sent(pcaps: Iterable[Path], port: int) -> int:
    """RST that gateways sent to a port of the server."""
    return sum(isinstance(frame.ip.upper, Tcp) and bool(frame.ip.upper.flags & TCP_RST)
               and frame.ip.upper.dport == port
               for path in pcaps for frame in read_frames(path) if frame.ip is not None)


def sources_seen(pcaps: Iterable[Path], port: int, start: float = 0.0,
                 end: float = float("inf")) -> set[str]:
    """As whom the server's port was spoken to in that time, as "ADDRESS:PORT"."""
    found = set()
    for path in pcaps:
        for frame in read_frames(path):
            ip = frame.ip
            if ip is None or not start <= frame.t <= end:
                continue
            if isinstance(ip.upper, Tcp) and ip.upper.dport == port:
                found.add(f"{ip.src}:{ip.upper.sport}")
            elif ip.protocol == IP_UDP and ip.dport == port:
                found.add(f"{ip.src}:{ip.sport}")
    return found


def inside_captures(lab: Lab, out: Path) -> list[Path]:
    """What each gateway sent to the server's network; complete when the run has been measured."""
    return [out / f"{node.name}-inside.pcap" for node in lab.gateways]


def expect_hot(run: Run, live: Live, wanted: Iterable[Flow], deadline_s: float) -> None:
    """Books whether every standby's kernel has the flows, as the promoted one has them, before the
    deadline."""
    known = list(wanted)
    for node in live.standbys:
        missing = known
        deadline = time.monotonic() + deadline_s
        while missing and time.monotonic() < deadline:
            held = translations(flows(node))
            missing = [each for each in known
                       if held.get(each.name) != each.reply.partition(">")[2]]
        run.expect(f"flows_not_hot_on_{node.name}", len(missing), equals(0))


@dataclasses.dataclass(frozen=True)
class Datagram:
    """A line of datagrams.py: sent (s) to a peer or received (r) from it, at the host's time."""

    kind: str
    t: float
    peer: str
    text: str


def datagrams(log: str) -> list[Datagram]:
    lines = [line.split() for line in log.splitlines()]
    # The last line may be half written.
    return [Datagram(words[0], int(words[1]) / 1e9, f"{words[2]}:{words[3]}", words[4])
            for words in lines if len(words) == 5]


class Tool:
    """A program of lab/node whose result is a file of the node. The file is the last of its
    arguments, without `more`."""

    def __init__(self, lab: Lab, node: Node, tool: str, *arguments: str, result: str,
                 word: str = "", more: Sequence[str] = ()) -> None:
        """Returns when the program has printed the word, if there is one."""
        self.node = node
        self._result = f"/run/lab/{result}"
        self._output = f"{self._result}.out"
        self.process: Background = node.start_tool(tool, *arguments, self._result, *more,
                                                   output=self._output)
        lab.wait_for(f"{tool} of {node.name} prints {word!r}", lambda: self._has_printed(word),
                     CONNECT_LIMIT_S)

    def _has_printed(self, word: str) -> bool:
        """A program that has ended prints nothing any more: an error of the program, no wait."""
        output = self.node.read(self._output) or ""
        if word not in output and self.process.exit_code() is not None:
            raise RuntimeError(f"{self.node.name}: a tool ended early: {output[-500:]}")
        return word in output

    def stop(self) -> dict:
        self.process.stop(timeout=STOP_LIMIT_S)
        return json.loads(self.node.get(self._result))

    def log(self) -> str:
        return self.node.read(self._result) or ""


class Streams(Tool):
    """TCP streams of a client node to the echo server, from the same source ports through each of
    the devices."""

    def __init__(self, lab: Lab, node: Node, first_port: int, count: int, interval_s: float,
                 devices: Sequence[str]) -> None:
        super().__init__(lab, node, "streams.py", SERVER_ADDRESS, str(ECHO_PORT), str(first_port),
                         str(count), str(interval_s), result=f"streams-{first_port}",
                         word=f"connected {count * len(devices)}", more=devices)
