# SPDX-License-Identifier: GPL-2.0-or-later
"""New flows of one node in the kernel of another: this project beside conntrackd, in one run.

Both run in the same two nodes, one after the other, with the same flows at the same rate. On this
project's side Corosync's CPU time counts, less what an idle ring costs in the same time.
"""
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .group import Program, RunError
from .rig import Node, Rig, children, cpu_seconds, parent

PATIENCE_S = 120.0
COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"
ROOM = "/proc/sys/net/netfilter/nf_conntrack_max"

ROOM_WANTED = 1_048_576

# Rates that are no number of flows a second: as fast as the kernel makes them, and made beforehand,
# so that their events wait in the kernel when the clock starts.
AT_ONCE = 0
BEFOREHAND = -1
# What the kernel holds for the promoted node; for what is made beforehand, 1.3 KB each.
BUFFER = 32 * 1024 * 1024
BUFFER_BEFOREHAND = 512 * 1024 * 1024


@dataclass(frozen=True)
class Load:
    """So many new flows, so many a second, while others are held already."""
    flows: int
    rate: int
    held: int = 0

    @property
    def buffer(self) -> int:
        return BUFFER_BEFOREHAND if self.rate == BEFOREHAND else BUFFER

    def fits(self) -> bool:
        return self.held + self.flows <= int(Path(ROOM).read_text(encoding="ascii"))


# What a new pair is configured to use: reliable, over UDP, with room for everything.
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
    NetlinkBufferSize %(buffer)s
    NetlinkBufferSizeMaxGrowth %(buffer)s
}
"""


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Tables that take the largest load, with as many buckets; both are the whole machine's."""
    wanted = {Path(ROOM): ROOM_WANTED,
              Path("/sys/module/nf_conntrack/parameters/hashsize"): ROOM_WANTED}
    before = {path: path.read_text(encoding="ascii") for path in wanted}
    try:
        for path, value in wanted.items():
            if int(before[path]) < value:
                path.write_text(str(value), encoding="ascii")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text, encoding="ascii")


def measure(binary: Path, load: Load) -> Iterator[dict]:
    """One round of each."""
    if not load.fits():
        raise RunError(f"{ROOM} is too small for {load.held + load.flows} flows")
    with Rig(2) as rig:
        for one_round in (_of_vpnha, _of_conntrackd):
            for node in rig.nodes:
                _inside(node, "conntrack", "-F")
            yield {**one_round(rig, binary, load), "wanted": load.flows, "rate": load.rate,
                   "held": load.held}


def _make_events(rig: Rig, standby: bool) -> None:
    """Whether a node's kernel makes events. In namespaces of one kernel an entry that may have
    events has them as soon as somebody listens in any of them."""
    for node, made in zip(rig.nodes, (True, standby)):
        _inside(node, "sysctl", "-qw", f"net.netfilter.nf_conntrack_events={int(made)}")


def _of_vpnha(rig: Rig, binary: Path, load: Load) -> dict:
    _make_events(rig, standby=False)
    with contextlib.ExitStack() as stack:
        def start(node: Node, role: str) -> Program:
            program = Program(node, [str(binary), role, "--flows", str(load.flows),
                                     "--held", str(load.held), "--buffer", str(load.buffer)])
            stack.callback(program.kill)
            return program

        standby, promoted = start(rig.nodes[1], "standby"), start(rig.nodes[0], "promoted")
        lines = promoted.lines(PATIENCE_S)
        next(lines)
        processes = {"promoted": _process(promoted), "standby": _process(standby),
                     "promoted_corosync": rig.nodes[0].corosync,
                     "standby_corosync": rig.nodes[1].corosync}
        memory = {name: _resident(process) for name, process in processes.items()}
        if load.held:
            _generate(rig.nodes[0], binary, Load(load.held, AT_ONCE))
            next(lines)
        idle = _idle(processes)
        with _generated(rig.nodes[0], binary, load, processes["promoted"]):
            before, began = _cpu(processes), time.monotonic()
        done = next(lines)
        seconds = time.monotonic() - began
        after = _cpu(processes)
        result = {"style": "vpnha", "flows": load.flows, "overruns": done["overruns"],
                  "seconds": seconds, "octets": done["octets"],
                  "in_kernel": _count(rig.nodes[1])}
        for name in processes:
            share = idle[name] if name.endswith("corosync") else 0
            result[f"cpu_{name}"] = after[name] - before[name] - share * seconds
        for name in ("promoted", "standby"):
            result[f"memory_{name}"] = _resident(processes[name]) - memory[name]
    return result


def _of_conntrackd(rig: Rig, binary: Path, load: Load) -> dict:
    _make_events(rig, standby=True)
    with contextlib.ExitStack() as stack:
        daemons = [stack.enter_context(_conntrackd(node, other, load.buffer))
                   for node, other in (rig.nodes, rig.nodes[::-1])]
        processes = dict(zip(("promoted", "standby"), daemons))
        memory = {name: _resident(process) for name, process in processes.items()}
        if load.held:
            _generate(rig.nodes[0], binary, Load(load.held, AT_ONCE))
            held = _await(lambda: _external(rig.nodes[1]), load.held)
            if held < load.held:
                raise RunError(f"conntrackd holds {held} of {load.held} flows")
        with _generated(rig.nodes[0], binary, load, processes["promoted"]):
            before, began = _cpu(processes), time.monotonic()
        arrived = _await(lambda: _external(rig.nodes[1]), load.held + load.flows)
        seconds = time.monotonic() - began
        after = _cpu(processes)
        result = {"style": "conntrackd", "flows": arrived - load.held, "seconds": seconds,
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
def _conntrackd(node: Node, other: Node, buffer: int) -> Iterator[int]:
    conf = Path(f"/proc/{node.corosync}/root/run/conntrackd.conf")
    # The kernel doubles the value, for its own share.
    conf.write_text(CONNTRACKD % {"own": node.address(0), "other": other.address(0),
                                  "buffer": max(20_971_520, buffer // 2)})
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


@contextlib.contextmanager
def _generated(node: Node, binary: Path, load: Load, reader: int) -> Iterator[None]:
    """The flows are made behind what the caller does; or before it, while their reader stands."""
    if load.rate != BEFOREHAND:
        yield
        _generate(node, binary, load)
        return
    os.kill(reader, signal.SIGSTOP)
    try:
        _generate(node, binary, load)
        yield
    finally:
        # nsenter, which stands before it, stops with it.
        for process in (reader, parent(reader)):
            os.kill(process, signal.SIGCONT)


def _generate(node: Node, binary: Path, load: Load) -> None:
    made = _inside(node, str(binary), "generate", "--flows", str(load.flows), "--held",
                   str(load.held), "--rate", str(max(load.rate, AT_ONCE)))
    if json.loads(made)["flows"] != load.flows:
        raise RunError(f"not all flows were made: {made}")


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
