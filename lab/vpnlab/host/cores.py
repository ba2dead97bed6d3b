# SPDX-License-Identifier: GPL-2.0-or-later
"""Which core of the host a node has, and when the lab comes before all nodes. In life each node has
its own core; where there are fewer cores than nodes some share one, and what they do at the same
moment takes twice as long."""
from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from .topology import NODES

# Of real time: nodes may have the first, the lab's own work that comes before them the second.
NODE_PRIORITY, LAB_PRIORITY = 1, 2
# How long a busy thread of real time runs while others of its priority wait. The kernel's default
# is 100 ms, and a node's work for its files and networks waits for its own processor, too.
SLICE_MS = 5
SLICE_FILE = Path("/proc/sys/kernel/sched_rr_timeslice_ms")


def host_cores() -> list[int]:
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0))


def core_of(node: str, cores: Sequence[int]) -> int:
    """Nodes take turns."""
    return cores[list(NODES).index(node) % len(cores)]


def shared(groups: Sequence[Sequence[str]], cores: Sequence[int]) -> dict[str, int]:
    """The core of each node: one for each group, as long as there are cores. Empty if nobody has
    to share."""
    if len(cores) >= sum(map(len, groups)):
        return {}
    return {name: cores[number % len(cores)]
            for number, group in enumerate(groups) for name in group}


def pin(process: int, core: int) -> None:
    """Moves all threads of a process and its descendants to a core. What it forks meanwhile
    inherits the core: parents come before their children."""
    for thread in threads(process):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, {core})


def share_real_time(file: Path = SLICE_FILE) -> None:
    """Has all threads of real time take short turns, on the whole host and until it boots; and
    gives this process a higher priority than nodes have: they would leave it one twentieth of the
    processors."""
    file.write_text(str(SLICE_MS), encoding="ascii")
    run_in_real_time(os.getpid(), LAB_PRIORITY)


def run_in_real_time(process: int, priority: int = NODE_PRIORITY) -> None:
    """Gives all threads of a process and its descendants that real-time priority; 0 takes it. With
    more busy threads than cores the host's fair scheduler lets a node wait for 0.1 to 0.4 s again
    and again, also where its cores are half idle."""
    policy = os.SCHED_RR if priority else os.SCHED_OTHER
    for thread in threads(process):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setscheduler(thread, policy, os.sched_param(priority))


def threads(process: int) -> Iterator[int]:
    """Of a process and its descendants, a parent before its children. One that ends meanwhile is
    left out."""
    pending = [process]
    while pending:
        tasks = Path(f"/proc/{pending.pop()}/task")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found = sorted(int(task.name) for task in tasks.iterdir())
            yield from found
            for each in found:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    children = (tasks / str(each) / "children").read_text(encoding="ascii")
                    pending += map(int, children.split())


@contextlib.contextmanager
def before_all_nodes() -> Iterator[None]:
    """No node takes the caller's core meanwhile."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LAB_PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
