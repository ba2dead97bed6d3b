# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's side of a node's agent: one TCP connection per request, over the management
network, which no tested traffic uses and no fault touches."""
from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Callable, Iterator, Sequence

from node import frames

from .errors import LabError, TimedOut
from .netns import NetworkNamespace
from .topology import AGENT_PORT

# Short: a SYN sent before the node had booted is lost, and its repetition would come late.
CONNECT_TIMEOUT_S = 0.25
# How often a waiting request looks whether its node is still powered.
POWER_CHECK_S = 0.5
CLOCK_ROUNDS = 8
CLOCK_PASSES = 5
CLOCK_TOLERANCE_S = 0.0002
# Beyond the command's own limit, for the way there and back on a busy machine.
GRACE_S = 10.0


class NodeDown(LabError):
    """The node has no power, or lost it while it worked for us."""


class RemoteError(LabError):
    """The agent refused or failed; `errno` is that of the failed call, if there was one."""

    def __init__(self, text: str, errno: int | None = None) -> None:
        super().__init__(text)
        self.errno = errno


@dataclasses.dataclass(frozen=True)
class Completed:
    """A command that has ended. A negative code is the signal that ended it."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True)
class ClockSample:
    """The node's CLOCK_REALTIME less the host's, and how exactly that is known."""

    host_time: float
    offset_s: float
    uncertainty_s: float


class Channel:
    def __init__(self, node: str, namespace: NetworkNamespace, address: str, token: str,
                 powered: Callable[[], bool], patience: float = 1.0) -> None:
        """All limits of time are multiplied by the patience."""
        self._node = node
        self._namespace = namespace
        self._address = address
        self._token = token
        self._powered = powered
        self._patience = patience

    def request(self, do: str, body: bytes = b"", timeout: float = 10.0,
                **fields: object) -> tuple[dict, bytes]:
        """One request, one answer."""
        for header, data in self.stream(do, body, timeout, **fields):
            if "error" in header:
                raise RemoteError(f"{self._node}: {do}: {header['error']}", header.get("errno"))
            return header, data
        raise LabError(f"{self._node}: {do}: no answer")

    def run(self, argv: Sequence[str], *, stdin: bytes, timeout: float,
            on_output: Callable[[str, bytes], None], **fields: object) -> int:
        """Runs a command; its output is handed over as it comes. Returns its exit code."""
        limit = timeout * self._patience
        for header, data in self.stream("run", stdin, timeout + GRACE_S, argv=list(argv),
                                        limit=limit, **fields):
            if "error" in header:
                raise RemoteError(f"{self._node}: {argv[0]}: {header['error']}")
            if "stream" in header:
                on_output(header["stream"], data)
                continue
            if header["timed_out"]:
                raise TimedOut(f"{self._node}: {' '.join(argv)} did not end in {limit:g} s")
            return header["exit"]
        raise LabError(f"{self._node}: {argv[0]}: no answer")

    def set_clock(self) -> None:
        """Moves the node's wall clock onto the host's: logs of all nodes then agree to about the
        round trip of a request, 0.1 ms. Both run on the same hardware clock afterwards."""
        for _ in range(CLOCK_PASSES):
            sample = self.clock()
            if abs(sample.offset_s) <= sample.uncertainty_s + CLOCK_TOLERANCE_S:
                return
            # The node may stall between reading and setting: hence the look at the result.
            self.request("clock", adjust_ns=-round(sample.offset_s * 1e9))

    def clock(self) -> ClockSample:
        """Several exchanges; the one with the shortest round trip shows the offset best."""
        best: ClockSample | None = None
        with self._connect(time.monotonic() + 5.0) as stream:
            decoder = frames.Decoder()
            for _ in range(CLOCK_ROUNDS):
                sent = time.time_ns()
                stream.sendall(frames.encode({"do": "clock", "token": self._token}))
                header = self._receive(stream, decoder, time.monotonic() + 5.0)[0]
                received = time.time_ns()
                half = (received - sent) / 2e9
                if best is None or half < best.uncertainty_s:
                    middle = (received + sent) / 2
                    best = ClockSample(received / 1e9, (header["realtime_ns"] - middle) / 1e9,
                                       half)
        assert best is not None
        return best

    def stream(self, do: str, body: bytes, timeout: float,
               **fields: object) -> Iterator[tuple[dict, bytes]]:
        """All frames that answer a request, until the node closes the connection."""
        timeout *= self._patience
        deadline = time.monotonic() + timeout
        with self._connect(deadline) as stream:
            stream.settimeout(timeout)
            stream.sendall(frames.encode({"do": do, "token": self._token, **fields}, body))
            decoder = frames.Decoder()
            while True:
                try:
                    yield self._receive(stream, decoder, deadline)
                except EOFError:
                    return

    def _connect(self, deadline: float) -> socket.socket:
        while True:
            if not self._powered():
                raise NodeDown(f"{self._node} is powered off")
            try:
                return self._namespace.connect(self._address, AGENT_PORT, CONNECT_TIMEOUT_S)
            except OSError as error:
                # A frozen node answers nothing; one that boots refuses until its agent is up.
                if time.monotonic() >= deadline:
                    raise TimedOut(f"{self._node}: its agent does not answer: {error}") from None
                time.sleep(0.02)

    def _receive(self, stream: socket.socket, decoder: frames.Decoder,
                 deadline: float) -> tuple[dict, bytes]:
        """The next frame; EOFError at the end. A dead node sends no FIN: its power is watched."""
        while True:
            if frame := decoder.next():
                return frame
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(f"{self._node}: no answer in time")
            stream.settimeout(min(POWER_CHECK_S, left))
            try:
                data = stream.recv(1 << 16)
            except TimeoutError:
                if not self._powered():
                    raise NodeDown(f"{self._node} lost its power during the request") from None
                continue
            except ConnectionError:
                raise NodeDown(f"{self._node} closed the connection") from None
            if not data:
                raise EOFError
            decoder.feed(data)
