# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 in the lab's networks, and what crosses a gateway by it beside the clients' traffic of IPv4:
pings and a TCP stream to the server."""
from __future__ import annotations

from ...evidence.expectation import at_least, at_most, equals, is_true
from ...host.node import Node
from ...host.topology import L2TP, PREFIXES6
from ...product.probes import EchoServer, Pinger, Streamer
from ..promise import Span, gap_ms, worst_gap
from ..run import Run

INSIDE = PREFIXES6["inside"]
FLOWS_LIMIT_S = 10
# Of the last second of a span: of 66 pings.
ANSWERS_MIN = 20


def connect(node: Node, network: str) -> None:
    """The node has its address of IPv6 there."""
    node.run("ip", "address", "add", f"{node.spec.address6(network)}/64", "dev", network, "nodad")


def prepare_gateway(node: Node) -> None:
    """It forwards IPv6. Also for a node that has just been switched on again."""
    for network in ("outside", "inside"):
        connect(node, network)
    node.put("/proc/sys/net/ipv6/conf/all/forwarding", "1")


def prepare(run: Run) -> str:
    """All gateways and the server, which echoes TCP of IPv6 and has a route to the clients. Returns
    the server's address."""
    for node in run.lab.gateways:
        prepare_gateway(node)
    server = run.lab.node("server")
    connect(server, "inside")
    server.run("ip", "-6", "route", "add", L2TP.net6, "via", L2TP.vip6_inside)
    echo = EchoServer(server, "::")
    echo.start()
    run.wait_for("the echo server listens on IPv6", echo.listening, FLOWS_LIMIT_S)
    return server.spec.address6("inside")


class Traffic:
    """Of one client; and of another node that pings a network behind it."""

    def __init__(self, run: Run, client: Node, server: str,
                 behind: tuple[Node, str] | None = None) -> None:
        """Returns when all of it flows. `behind`: who pings which address behind the client."""
        self._run = run
        self._name = client.name
        self._pingers = {"ipv6": Pinger(client, server)}
        if behind is not None:
            self._pingers["behind"] = Pinger(*behind)
        self._stream = Streamer(client, server)
        for name, pinger in self._pingers.items():
            run.wait_for(f"pings of {self._name} ({name}) are answered", pinger.answers,
                         FLOWS_LIMIT_S)
        run.wait_for(f"{self._name} streams TCP by IPv6", self._stream.connected, FLOWS_LIMIT_S)

    def expect_kept(self, *gaps: tuple[str, Span, float]) -> None:
        """Ends it. In each span, which has a name, it was silent for so many milliseconds at most,
        and it flowed again in the end; the TCP stream is the same and misses nothing."""
        stream = self._stream.stop()
        answers = {name: pinger.stop() for name, pinger in self._pingers.items()}
        for name, times in answers.items():
            for what, span, limit in gaps:
                self._expect(f"{name}_{what}_ms", gap_ms(worst_gap(times, span)), at_most(limit))
                self._expect(f"{name}_{what}_answers",
                             sum(span[1] - 1 < t <= span[1] for t in times),
                             at_least(ANSWERS_MIN))
        self._expect("ipv6_tcp_intact", stream["intact"], is_true())
        self._expect("ipv6_tcp_resets", stream["resets"], equals(0))

    def _expect(self, what: str, observed: object, expected: object) -> None:
        self._run.expect(f"{self._name}_{what}", observed, expected)  # type: ignore[arg-type]
