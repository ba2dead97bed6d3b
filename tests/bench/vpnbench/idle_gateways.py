# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways without sessions on the nodes of a rig, and the CPU that they take."""
from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

from .rig import Node, Rig, RigError, children, cpu_seconds, pipe

NODES = 3
READY_LIMIT_S = 60.0
MEASURED_S = 30.0

GATEWAY = """\
[gateway.g{number}]
id = {number}
ppp_local = "10.70.{number}.1"
pools = ["10.71.{number}.0/24"]
[gateway.g{number}.outside]
interface = "out0"
addresses = ["10.50.{number}.1/24", "2001:db8:50:{number}::1/64"]
[gateway.g{number}.inside]
interface = "in0"
addresses = ["10.60.{number}.1/24", "2001:db8:60:{number}::1/64"]
[gateway.g{number}.l2tp]
"""
PREPARE = """set -e
ip link add out0 type veth peer name out1
ip link add in0 type veth peer name in1
mkdir -m 700 /run/vpnha-state
cat > /run/vpnha.toml
"""


def measure(count: int, binary: Path) -> dict:
    """So many gateways promoted by turns on three nodes: the share of a core that the mean node's
    program and its corosync take."""
    config = '[daemon]\nstate_directory = "/run/vpnha-state"\n' + "".join(
        GATEWAY.format(number=number) for number in range(1, count + 1))
    with Rig(NODES) as rig, contextlib.ExitStack() as stack:
        programs = []
        for node in rig.nodes:
            subprocess.run([*node.enter(), "sh", "-c", PREPARE], input=config, text=True,
                           check=True)
            program = subprocess.Popen([*node.enter(), str(binary), "--config", "/run/vpnha.toml"],
                                       stdout=subprocess.PIPE, text=True)
            stack.callback(_end, program)
            programs.append(program)
        served = sum(_await_ready(node, program) for node, program in zip(rig.nodes, programs))
        if served != count:
            raise RigError(f"{served} of {count} gateways are promoted")
        inner = [children(program.pid)[0] for program in programs]
        corosyncs = [node.corosync for node in rig.nodes]
        began, before = time.monotonic(), [_cpu(inner), _cpu(corosyncs)]
        while time.monotonic() < began + MEASURED_S:
            time.sleep(0.05)
        used = [_cpu(inner) - before[0], _cpu(corosyncs) - before[1]]
        seconds = time.monotonic() - began
    return {"gateways": count, "seconds": seconds,
            "share": used[0] / seconds / NODES, "corosync_share": used[1] / seconds / NODES}


def _cpu(processes: list[int]) -> float:
    return sum(map(cpu_seconds, processes))


def _await_ready(node: Node, program: subprocess.Popen) -> int:
    output = pipe(program.stdout)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        if not selector.select(READY_LIMIT_S):
            raise RigError(f"node {node.number} promotes nothing")
    line = output.readline()
    if not line:
        raise RigError(f"the program of node {node.number} ended early")
    return json.loads(line)["ready"]


def _end(program: subprocess.Popen) -> None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
        os.kill(children(program.pid)[0], signal.SIGTERM)
    program.wait()
    pipe(program.stdout).close()
