# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of group_bench over the nodes of a rig: one writer, the others standbys."""
from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .rig import Node, Rig, children, cpu_seconds, pipe

# Beside the length of the run itself: gathering, loading, draining.
SLACK_S = 90.0
END_LIMIT_S = 30.0


class RunError(Exception):
    """A run did not come to its end."""


@dataclass(frozen=True)
class Run:
    """What is measured; `nodes` counts the joiner too."""

    mode: str  # flood, paced, join
    style: str  # vpnha, plain
    nodes: int
    records: int
    seconds: float = 4.0
    rate: int = 5000
    crypto: bool = True
    kind: str = "l2tp"  # Or "ike": what the records are.
    payload: int = 0  # Octets of a record of redis; 0: those of an L2TP session.

    def command(self, binary: Path, writer: bool) -> list[str]:
        members = self.nodes - (1 if self.mode == "join" else 0)
        words = [str(binary), "--mode", self.mode, "--members", str(members),
                 "--records", str(self.records), "--seconds", str(self.seconds),
                 "--rate", str(self.rate)]
        return (words + ["--writer"] * writer + ["--plain"] * (self.style == "plain")
                + ["--ike"] * (self.kind == "ike"))


class Program:
    """group_bench in one node."""

    def __init__(self, node: Node, command: list[str]) -> None:
        self.node = node
        # nsenter forks, because a process cannot enter a pid namespace itself.
        self.outer = subprocess.Popen([*node.enter(), *command], stdout=subprocess.PIPE, text=True)
        self._output = pipe(self.outer.stdout)

    def cpu(self) -> float:
        found = children(self.outer.pid)
        if not found:
            raise RunError(f"the program of node {self.node.number} ended early")
        return cpu_seconds(found[0])

    def lines(self, timeout_s: float) -> Iterator[dict]:
        end = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while selector.select(max(0.0, end - time.monotonic())):
                line = self._output.readline()
                if not line:
                    raise RunError(f"the program of node {self.node.number} ended early")
                yield json.loads(line)
        raise RunError(f"nothing from node {self.node.number} for {timeout_s:.0f} s")

    def terminate(self) -> None:
        for process in children(self.outer.pid):
            os.kill(process, signal.SIGTERM)

    def finish(self) -> list[dict]:
        """Waits until it has ended by itself, with success; what it printed since."""
        if self.outer.wait(timeout=END_LIMIT_S):
            raise RunError(f"the program of node {self.node.number} failed")
        return [json.loads(line) for line in self._output]

    def kill(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            for process in children(self.outer.pid):
                subprocess.run(["kill", "-KILL", str(process)], check=False)
        self.outer.wait()
        self._output.close()


def measure(rig: Rig, run: Run, binary: Path) -> dict:
    """One round."""
    with contextlib.ExitStack() as stack:
        def start(node: Node, writer: bool = False) -> Program:
            program = Program(node, run.command(binary, writer))
            stack.callback(program.kill)
            return program

        writer = start(rig.nodes[0], writer=True)
        late = rig.nodes[run.nodes - 1:] if run.mode == "join" else []
        standbys = [start(node) for node in rig.nodes[1:run.nodes - len(late)]]
        lines = writer.lines(run.seconds + SLACK_S)
        began = next(lines)
        if began["event"] != "begin":
            raise RunError(f"unexpected: {began}")
        before = _cpu(rig, writer, standbys)
        joiners = [start(node) for node in late]
        result = next(lines)
        if result["members_lost"]:
            raise RunError("a member was lost while it was measured")
        after = _cpu(rig, writer, standbys)
        for name, used in after.items():
            result[f"cpu_{name}"] = (used - before[name]) / result["seconds"]
        writer.terminate()
        writer.finish()
        for program in (*standbys, *joiners):
            check_contents(run, result["contents"], program.finish(), program in joiners)
    return result


def check_contents(run: Run, wanted: dict, lines: list[dict], is_joiner: bool) -> None:
    """A joiner had every record when it called itself complete; every standby ends with what the
    writer has."""
    seen = {line["event"]: line["contents"] for line in lines}
    complete = seen.get("complete", {}).get("records")
    if is_joiner and complete != run.records:
        raise RunError(f"the joiner called itself complete with {complete} of {run.records} "
                       "records")
    if seen.get("end") != wanted:
        raise RunError(f"a standby ends with {seen.get('end')}, the writer with {wanted}")


def _cpu(rig: Rig, writer: Program, standbys: list[Program]) -> dict[str, float]:
    """CPU seconds so far; of several processes in one role their mean."""
    peers = [program.node.corosync for program in standbys]
    return {
        "writer": writer.cpu(),
        "standby": sum(program.cpu() for program in standbys) / max(1, len(standbys)),
        "writer_corosync": cpu_seconds(rig.nodes[0].corosync),
        "standby_corosync": sum(map(cpu_seconds, peers)) / max(1, len(peers)),
    }
