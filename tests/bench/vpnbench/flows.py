# SPDX-License-Identifier: GPL-2.0-or-later
"""New flows of one node in the kernel of another: this project beside conntrackd, in one run.

Both run in the same two nodes, one after the other, with the same flows at the same rate. On this
project's side Corosync's CPU time counts, less what an idle ring costs in the same time.
"""
from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .group import Program, RunError
from .rig import Node, Rig, children, cpu_seconds

PATIENCE_S = 120.0
SETTINGS = {"nf_conntrack_events": "1"}
COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"

# What a new pair is told to use: reliable, over UDP, with room for everything.
CONNTRACKD = """
Sync {
    Mode FTFW { }
    UDP {
        IPv4_address %(own)s
        IPv4_Destination_Address %(other)s
        Port 3780
        Interface eth0
        SndSocketBuffer 20971520
        RcvSocketBuffer 20971520
        Checksum on
    }
}
General {
    HashSize 262144
    HashLimit 1048576
    LogFile off
    LockFile /run/conntrackd.lock
    UNIX { Path /run/conntrackd.ctl }
    NetlinkBufferSize 20971520
    NetlinkBufferSizeMaxGrowth 20971520
}
"""


def measure(binary: Path, flows: int, rate: int) -> Iterator[dict]:
    """One round of each; `rate` 0: as fast as the kernel makes flows."""
    with Rig(2) as rig:
        for one_round in (_of_vpnha, _of_conntrackd):
            for node in rig.nodes:
                for name, value in SETTINGS.items():
                    _inside(node, "sysctl", "-qw", f"net.netfilter.{name}={value}")
                _inside(node, "conntrack", "-F")
            yield {**one_round(rig, binary, flows, rate), "wanted": flows, "rate": rate}


def _of_vpnha(rig: Rig, binary: Path, flows: int, rate: int) -> dict:
    with contextlib.ExitStack() as stack:
        def start(node: Node, role: str) -> Program:
            program = Program(node, [str(binary), role, "--flows", str(flows)])
            stack.callback(program.kill)
            return program

        standby, promoted = start(rig.nodes[1], "standby"), start(rig.nodes[0], "promoted")
        lines = promoted.lines(PATIENCE_S)
        next(lines)
        processes = {"promoted": _process(promoted), "standby": _process(standby),
                     "promoted_corosync": rig.nodes[0].corosync,
                     "standby_corosync": rig.nodes[1].corosync}
        idle = _idle(processes)
        memory = {name: _resident(process) for name, process in processes.items()}
        before, began = _cpu(processes), time.monotonic()
        _generate(rig.nodes[0], binary, flows, rate)
        done = next(lines)
        seconds = time.monotonic() - began
        after = _cpu(processes)
        result = {"style": "vpnha", "flows": done["flows"], "overruns": done["overruns"],
                  "seconds": done["seconds"], "octets": done["octets"],
                  "in_kernel": _count(rig.nodes[1])}
        for name in processes:
            share = idle[name] if name.endswith("corosync") else 0
            result[f"cpu_{name}"] = after[name] - before[name] - share * seconds
        for name in ("promoted", "standby"):
            result[f"memory_{name}"] = _resident(processes[name]) - memory[name]
        return result


def _of_conntrackd(rig: Rig, binary: Path, flows: int, rate: int) -> dict:
    with contextlib.ExitStack() as stack:
        daemons = [stack.enter_context(_conntrackd(node, other))
                   for node, other in (rig.nodes, rig.nodes[::-1])]
        processes = dict(zip(("promoted", "standby"), daemons))
        memory = {name: _resident(process) for name, process in processes.items()}
        before, began = _cpu(processes), time.monotonic()
        _generate(rig.nodes[0], binary, flows, rate)
        arrived = _await(lambda: _external(rig.nodes[1]), flows)
        seconds = time.monotonic() - began
        after = _cpu(processes)
        result = {"style": "conntrackd", "flows": arrived, "seconds": seconds,
                  "in_kernel": _count(rig.nodes[1])}
        for name, process in processes.items():
            result[f"cpu_{name}"] = after[name] - before[name]
            result[f"memory_{name}"] = _resident(process) - memory[name]
        began = time.monotonic()
        _inside(rig.nodes[1], "conntrackd", "-C", "/run/conntrackd.conf", "-c")
        committed = _await(lambda: _count(rig.nodes[1]), arrived)
        result |= {"commit_seconds": time.monotonic() - began, "committed": committed,
                   "cpu_commit": cpu_seconds(processes["standby"]) - after["standby"]}
        return result


@contextlib.contextmanager
def _conntrackd(node: Node, other: Node) -> Iterator[int]:
    conf = Path(f"/proc/{node.corosync}/root/run/conntrackd.conf")
    conf.write_text(CONNTRACKD % {"own": node.address(0), "other": other.address(0)})
    outer = subprocess.Popen([*node.enter(), "conntrackd", "-C", "/run/conntrackd.conf"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while _external(node) is None:
            if time.monotonic() > end:
                raise RunError("conntrackd does not answer")
            time.sleep(0.05)
        yield children(outer.pid)[0]
    finally:
        with contextlib.suppress(FileNotFoundError):
            for process in children(outer.pid):
                subprocess.run(["kill", "-KILL", str(process)], check=False)
        outer.wait()


def _external(node: Node) -> int | None:
    """Flows of the other node that conntrackd holds; None: it does not answer."""
    text = _inside(node, "conntrackd", "-C", "/run/conntrackd.conf", "-s", "cache", check=False)
    words = text.partition("cache:external")[2].split()
    return int(words[2]) if words else None


def _await(count: Callable[[], int | None], wanted: int) -> int:
    """The count, when it is as wanted or has stood still for a while."""
    last, since = count() or 0, time.monotonic()
    while last < wanted and time.monotonic() - since < 3:
        time.sleep(0.02)
        now = count() or 0
        if now != last:
            last, since = now, time.monotonic()
    return last


def _generate(node: Node, binary: Path, flows: int, rate: int) -> None:
    told = _inside(node, str(binary), "generate", "--flows", str(flows), "--rate", str(rate))
    if json.loads(told)["flows"] != flows:
        raise RunError(f"not all flows were made: {told}")


def _inside(node: Node, *command: str, check: bool = True) -> str:
    done = subprocess.run([*node.enter(), *command], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RunError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _count(node: Node) -> int:
    return int(_inside(node, "cat", COUNT))


def _process(program: Program) -> int:
    return children(program.outer.pid)[0]


def _cpu(processes: dict[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(process) for name, process in processes.items()}


def _idle(processes: dict[str, int]) -> dict[str, float]:
    """Share of a core that each takes while nothing is to be done."""
    before = _cpu(processes)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        time.sleep(0.05)
    after = _cpu(processes)
    return {name: after[name] - before[name] for name in processes}


def _resident(process: int) -> int:
    """Octets of memory that a process has."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RunError(f"process {process} is gone")
