# SPDX-License-Identifier: GPL-2.0-or-later
"""The same records through redis replication: a primary on the first node, a replica on each other.

WAIT is its confirmation: it answers when so many replicas have what was written before. Its
replication is neither encrypted nor fenced, and its order holds for one primary only.
"""
from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import time
from collections import deque
from collections.abc import Iterator

from .group import Run, RunError
from .rig import Node, Rig, children, cpu_seconds

# The server is the same program under another name; Debian's redis-tools has only this one.
SERVER = "/usr/bin/redis-check-rdb"
PORT = 6379
KEY_BYTES = 20
PAYLOAD_BYTES = 105
BURST = 1600
READY_TIMEOUT_S = 20.0


def measure(rig: Rig, run: Run) -> dict:
    """One round of a flood or of a paced run."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_server(node, rig.nodes[0])) for node in rig.nodes]
        client = stack.enter_context(_connect(rig.nodes[0]))
        _await_replicas(client, run.nodes - 1)
        _load(client, run, run.nodes - 1)
        before = _cpu(servers)
        began = time.monotonic()
        result = _flood(client, run) if run.mode == "flood" else _pace(client, run)
        seconds = time.monotonic() - began
        after = _cpu(servers)
        result["cpu_writer"] = (after[0] - before[0]) / seconds
        result["cpu_standby"] = sum(y - x for x, y in zip(before[1:], after[1:])) / seconds / (
            run.nodes - 1)
    return result


def measure_join(rig: Rig, run: Run) -> dict:
    """One more replica comes, while nothing changes: the time from its start until it has a
    synchronised link and every key, as the primary and it itself report."""
    with contextlib.ExitStack() as stack:
        for node in rig.nodes[:-1]:
            stack.enter_context(_server(node, rig.nodes[0]))
        client = stack.enter_context(_connect(rig.nodes[0]))
        _await_replicas(client, run.nodes - 2)
        _load(client, run, run.nodes - 2)
        late = rig.nodes[-1]
        stack.enter_context(_server(late, late))
        replica = stack.enter_context(_connect(late))
        began = time.monotonic()
        replica.sendall(_command("REPLICAOF", rig.nodes[0].address(0), str(PORT)))
        replica.recv(65536)
        while not _is_synced(replica, run.records):
            if time.monotonic() - began > READY_TIMEOUT_S:
                raise RunError("redis: the fresh replica has not everything")
        join_ms = (time.monotonic() - began) * 1000
    return {"join_ms": join_ms}


def _is_synced(replica: socket.socket, keys: int) -> bool:
    replica.sendall(_command("INFO", "replication"))
    link_is_up = b"master_link_status:up" in replica.recv(65536)
    replica.sendall(_command("DBSIZE"))
    return link_is_up and replica.recv(65536) == b":%d\r\n" % keys


def _command(*words: str) -> bytes:
    return (f"*{len(words)}\r\n"
            + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)).encode()


@contextlib.contextmanager
def _server(node: Node, primary: Node) -> Iterator[subprocess.Popen]:
    words = ["redis-server", "--port", str(PORT), "--save", "", "--appendonly", "no",
             "--protected-mode", "no", "--repl-diskless-sync-delay", "0", "--dir", "/run"]
    if node is not primary:
        words += ["--replicaof", primary.address(0), str(PORT)]
    quoted = " ".join(f"'{word}'" for word in words[1:])
    process = subprocess.Popen(
        [*node.enter(), "bash", "-c", f"exec -a {words[0]} {SERVER} {quoted}"],
        stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with contextlib.suppress(FileNotFoundError):
            for child in children(process.pid):
                subprocess.run(["kill", "-KILL", str(child)], check=False)
        process.wait()


@contextlib.contextmanager
def _connect(node: Node) -> Iterator[socket.socket]:
    """A client beside the primary, by the address of the first link."""
    # A bridge of the driver's own namespace carries the link, so that it needs an address there.
    subprocess.run(["ip", "address", "replace", "10.99.0.254/24", "dev", "ring0"], check=True)
    end = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            client = socket.create_connection((node.address(0), PORT), timeout=READY_TIMEOUT_S)
            break
        except OSError:
            if time.monotonic() > end:
                raise RunError("redis does not listen") from None
            time.sleep(0.05)
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


def _set(record: int, generation: int, payload_bytes: int = PAYLOAD_BYTES) -> bytes:
    key = record.to_bytes(KEY_BYTES, "big")
    payload = generation.to_bytes(payload_bytes, "big")
    return (b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
            % (len(key), key, len(payload), payload))


def _wait(replicas: int) -> bytes:
    count = b"%d" % replicas
    return b"*3\r\n$4\r\nWAIT\r\n$%d\r\n%b\r\n$1\r\n0\r\n" % (len(count), count)


class _Answers:
    """Counts answers: +OK of each SET, :N of each WAIT."""

    def __init__(self) -> None:
        self.waits = 0

    def feed(self, data: bytes) -> None:
        if b"-" in data:
            raise RunError(f"redis: {data[:80]!r}")
        self.waits += data.count(b":")


def _await_replicas(client: socket.socket, replicas: int) -> None:
    end = time.monotonic() + READY_TIMEOUT_S
    text = b""
    while b"connected_slaves:%d" % replicas not in text or text.count(b"state=online") != replicas:
        if time.monotonic() > end:
            raise RunError("redis: the replicas do not come")
        client.sendall(_command("INFO", "replication"))
        time.sleep(0.05)
        text = client.recv(65536)


def _batch(client: socket.socket, answers: _Answers, request: bytes) -> None:
    """Sends a request that ends in a WAIT, and reads until that one is answered."""
    wanted = answers.waits + 1
    client.sendall(request)
    while answers.waits < wanted:
        answers.feed(client.recv(65536))


def _load(client: socket.socket, run: Run, replicas: int) -> None:
    answers = _Answers()
    for first in range(0, run.records, BURST):
        records = range(first, min(run.records, first + BURST))
        _batch(client, answers, b"".join(
            _set(r, 0, run.payload or PAYLOAD_BYTES) for r in records) + _wait(replicas))


def _flood(client: socket.socket, run: Run) -> dict:
    answers = _Answers()
    burst = min(BURST, run.records)
    # Built beforehand: the client's own speed is not what is measured.
    requests = [b"".join(_set((part * burst + i) % run.records, 1) for i in range(burst))
                + _wait(run.nodes - 1) for part in range(max(1, run.records // burst))]
    updates = 0
    began = time.monotonic()
    while time.monotonic() - began < run.seconds:
        _batch(client, answers, requests[updates // burst % len(requests)])
        updates += burst
    seconds = time.monotonic() - began
    return {"seconds": seconds, "updates": updates, "updates_per_s": updates / seconds}


def _pace(client: socket.socket, run: Run) -> dict:
    """A turn each millisecond, as group_bench has them; one WAIT a turn, for any replica."""
    answers = _Answers()
    due_of_turns: deque[tuple[float, int]] = deque()
    latencies: list[float] = []
    published = 0
    client.setblocking(False)
    began = time.monotonic()
    while (now := time.monotonic()) - began < run.seconds:
        due = int((now - began) * run.rate)
        if due > published:
            request = b"".join(_set(n % run.records, n) for n in range(published, due)) + _wait(1)
            client.sendall(request)
            due_of_turns.append((began + (published + 1) / run.rate, due - published))
            published = due
        if select.select([client], [], [], 0.001)[0]:
            before = answers.waits
            answers.feed(client.recv(65536))
            now = time.monotonic()
            for _ in range(answers.waits - before):
                first_due, count = due_of_turns.popleft()
                latencies += [now - first_due - i / run.rate for i in range(count)]
    latencies.sort()
    return {"seconds": run.seconds, "updates": published,
            "updates_per_s": published / run.seconds,
            "latency": {"count": len(latencies), "p50_ms": _percentile(latencies, 50),
                        "p99_ms": _percentile(latencies, 99), "max_ms": latencies[-1] * 1000}}


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1] * 1000


def _cpu(servers: list[subprocess.Popen]) -> list[float]:
    return [cpu_seconds(children(server.pid)[0]) for server in servers]
