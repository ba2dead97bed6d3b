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

GROUPS_FILE = Path("/proc/sys/kernel/sched_autogroup_enabled")
# Of the root group of the processors, in hierarchies of cgroup v1.
ROOT_GROUP = Path("/sys/fs/cgroup/cpu/cgroup.procs")


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


def ungroup_sessions(file: Path = GROUPS_FILE) -> None:
    """Has the scheduler share the processors among all threads of the whole host, until it boots,
    and not among sessions first. With that, threads that are started from now on let nobody wait
    for long: among six busy sessions a thread that could run waited for 0.1 to 0.4 s again and
    again, also where the cores were half idle. A kernel without such groups needs nothing."""
    with contextlib.suppress(FileNotFoundError):
        file.write_text("0", encoding="ascii")


def join_root_group(file: Path = ROOT_GROUP) -> None:
    """Moves this process to the root group of the processors, and with it what it starts from now
    on. A kernel that shares real-time priority among groups (RT_GROUP_SCHED) gives a new group
    none, and the power service and `before_all_nodes` need it. A host without such groups, and one
    that does not permit the move, stays as it is."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        file.write_text(str(os.getpid()), encoding="ascii")


def prefer(process: int, nice: int) -> None:
    """Of all threads of a process and its descendants, if no sessions are grouped."""
    for thread in threads(process):
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, thread, nice)


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
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
