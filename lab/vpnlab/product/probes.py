# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client does all the time: it pings the server and streams TCP to it, and watches its
own tunnel interface. The programs are resident in the nodes; see lab/node."""
from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ..host.node import Background, Node
from ..host.topology import NODES

ECHO_PORT = 7
# 66 probes a second: more than the 50 that the figures need, within the nodes' 10 ms tick.
PING_INTERVAL_S = 0.015
RECORD_INTERVAL_S = 0.02
SERVER_ADDRESS = NODES["server"].address("inside")


@dataclasses.dataclass(frozen=True)
class Pace:
    """How often a client asks."""

    ping_s: float = PING_INTERVAL_S
    record_s: float = RECORD_INTERVAL_S


_PING_LOG = "lab-ping.log"
_STREAM_RESULT = "/run/lab/stream.json"
_STREAM_LOG = "/run/lab/stream.log"
_WATCH_PCAP = "/run/lab/watch.pcap"
_WATCH_EVENTS = "/run/lab/watch.events"
_ECHO_LOG = "/run/lab/echo.log"


@dataclasses.dataclass(frozen=True)
class InterfaceEvent:
    """One thing that became of the tunnel interface, at the node's time."""

    t: float
    kind: str
    interface: str
    index: int
    address: str = ""


def parse_events(text: str) -> list[InterfaceEvent]:
    events = []
    for line in text.splitlines():
        stamp, kind, interface, index, *address = line.split()
        events.append(InterfaceEvent(int(stamp) / 1e9, kind, interface, int(index), *address))
    return events


@dataclasses.dataclass(frozen=True)
class PingCounts:
    sent: int
    answered: int
    errors: int


def parse_pings(text: str) -> PingCounts:
    kinds = [line[:1] for line in text.splitlines()]
    return PingCounts(kinds.count("s"), kinds.count("r"), kinds.count("e"))


class Pinger:
    """Pings of one node to one address, beside those of its probes."""

    def __init__(self, node: Node, address: str) -> None:
        self._node = node
        self._log = f"lab-ping-{address}.log"
        self._process = node.start_tool("probes/ping_probe.py", address, str(PING_INTERVAL_S),
                                        f"/var/log/{self._log}",
                                        output=f"/run/lab/ping-{address}.err")

    def answers(self) -> list[float]:
        """When they came, at the node's time, which agrees with the host's."""
        lines = [line.split() for line in self._node.read_log(self._log).splitlines()]
        # The last line may be half written.
        return [int(words[2]) / 1e9 for words in lines if len(words) == 3 and words[0] == "r"]

    def stop(self) -> list[float]:
        self._process.stop()
        return self.answers()


class Streamer:
    """A TCP stream of one node to the echo server at one address, beside that of its probes."""

    def __init__(self, node: Node, address: str) -> None:
        self._node = node
        self._result = f"/run/lab/stream-{address}.json"
        self._log = f"/run/lab/stream-{address}.log"
        self._process = node.start_tool("tcp_stream.py", address, str(ECHO_PORT),
                                        str(RECORD_INTERVAL_S), self._result, output=self._log)

    def connected(self) -> bool:
        return "connected" in (self._node.read(self._log) or "")

    def stop(self) -> dict:
        """What became of it, as lab/node/tcp_stream.py has it."""
        self._process.stop()
        return json.loads(self._node.get(self._result))


class EchoServer:
    def __init__(self, node: Node, address: str = "") -> None:
        """`address`: where it listens, as lab/node/echo_server.py has it."""
        self._node = node
        self._address = address
        self._log = f"{_ECHO_LOG}{address}"

    def start(self) -> None:
        self._node.start_tool("echo_server.py", str(ECHO_PORT),
                              *([self._address] if self._address else []), output=self._log)

    def listening(self) -> bool:
        return "listening" in (self._node.read(self._log) or "")


class Watch:
    """Capture and events of the client's tunnel interface, from before its birth on."""

    def __init__(self, node: Node, interface: str) -> None:
        self._node = node
        self._interface = interface
        self._process: Background | None = None

    def start(self) -> None:
        self._process = self._node.start_tool("watch.py", self._interface, _WATCH_PCAP,
                                              _WATCH_EVENTS, output="/run/lab/watch.log")

    def watching(self) -> bool:
        return "watching" in (self._node.read("/run/lab/watch.log") or "")

    def events(self) -> list[InterfaceEvent]:
        return parse_events(self._node.read(_WATCH_EVENTS) or "")

    def fetch(self, pcap: Path, events: Path) -> None:
        """Ends the watch and brings its files to the host."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        pcap.write_bytes(self._node.get(_WATCH_PCAP))
        events.write_bytes(self._node.get(_WATCH_EVENTS))


class Probes:
    """The pings and the stream of one client."""

    def __init__(self, node: Node, pace: Pace) -> None:
        self._node = node
        self._pace = pace
        self._ping: Background | None = None
        self._stream: Background | None = None

    def start(self) -> None:
        self._ping = self._node.start_tool("probes/ping_probe.py", SERVER_ADDRESS,
                                           str(self._pace.ping_s), f"/var/log/{_PING_LOG}",
                                           output="/run/lab/ping.err")
        self._stream = self._node.start_tool("tcp_stream.py", SERVER_ADDRESS, str(ECHO_PORT),
                                             str(self._pace.record_s), _STREAM_RESULT,
                                             output=_STREAM_LOG)

    def flowing(self) -> bool:
        """Pings are answered and the stream is connected."""
        connected = "connected" in (self._node.read(_STREAM_LOG) or "")
        return connected and self.pings().answered > 0

    def pings(self) -> PingCounts:
        return parse_pings(self._node.read_log(_PING_LOG))

    def stop(self, ping_log: Path, stream_result: Path) -> dict:
        """Ends both, brings their logs to the host, and returns the stream's result. The stream
        first: it waits for outstanding echoes while the pings still run."""
        assert self._stream is not None and self._ping is not None
        self._stream.stop()
        self._ping.stop()
        content = self._node.get(_STREAM_RESULT)
        stream_result.write_bytes(content)
        ping_log.write_text(self._node.read_log(_PING_LOG), encoding="ascii")
        return json.loads(content)
