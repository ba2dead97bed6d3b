# SPDX-License-Identifier: GPL-2.0-or-later
"""What a lab leaves on the host while it is up: one directory, found by its name alone.

  /dev/shm/vpnha-lab/NAME/lab.json            nodes, token, stage, kernel
  /dev/shm/vpnha-lab/NAME/NODE/console.log    the node's console, over all its boots
  /dev/shm/vpnha-lab/NAME/NODE/process.json   its main process: number and start time
  /dev/shm/vpnha-lab/NAME/NODE/config.json    what its init reads
  /dev/shm/vpnha-lab/NAME/NODE/log-N/         /var/log of its N-th boot
  /dev/shm/vpnha-lab/NAME/NODE/disk/          /var/lib/vpnha, over all its boots; of a fresh
                                              Debian what it had written at its last reboot

In memory, because a node's kernel is one thread: at each of vpnhad's fsyncs it would stand still
for as long as the host's disk does, behind all that a compiler wrote.

A process is known by its number *and* start time, so a recycled number is never signalled.
"""
from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from .errors import AlreadyUp, LabError, NotFound
from .kernel import DEFAULT_SERIES
from .machines import USER_MODE
from .release import THIS_RELEASE

ROOT = Path("/dev/shm/vpnha-lab")


@dataclasses.dataclass(frozen=True)
class Process:
    """A process of the host, safe against reuse of its number."""

    pid: int
    start_time: int

    @classmethod
    def of(cls, pid: int) -> Process:
        start_time = _start_time(pid)
        if start_time is None:
            raise LabError(f"process {pid} has ended already")
        return cls(pid, start_time)

    def alive(self) -> bool:
        return _start_time(self.pid) == self.start_time

    def send(self, number: int) -> bool:
        """False if the process had ended already."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self, timeout: float = 10) -> None:
        """SIGKILL, and waits for the end."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.send(signal.SIGKILL):
                poller = select.poll()
                poller.register(descriptor, select.POLLIN)
                if not poller.poll(timeout * 1000):
                    raise LabError(f"process {self.pid} does not end")
        finally:
            os.close(descriptor)


def parse_start_time(stat: str) -> int | None:
    """Field 22 of /proc/PID/stat; None for a zombie. The name in field 2 may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def _start_time(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return parse_start_time(stat)


def text_of(path: Path) -> str:
    """Nothing if there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def check_name(name: str) -> str:
    """Names become parts of paths and of a namespace's name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,39}", name):
        raise NotFound(f"{name!r} cannot name a lab: a-z 0-9 _ . - only, at most 40 characters")
    return name


@dataclasses.dataclass(frozen=True)
class LabRecord:
    """The part of a lab that another process needs to join it."""

    name: str
    nodes: list[str]
    token: str
    stage: str
    # The series of its nodes' kernel.
    kernel: str = DEFAULT_SERIES
    # What its nodes are to the host.
    machine: str = USER_MODE
    # Nodes whose root is not the host's, that root, and what they see of the host, by where.
    rooted: list[str] = dataclasses.field(default_factory=list)
    root: str = ""
    # Theirs, in place of the others' stage and kernel; empty: the same.
    rooted_stage: str = ""
    rooted_kernel: str = ""
    mounts: dict[str, str] = dataclasses.field(default_factory=dict)
    # It is a Debian as the installer leaves it: systemd, and no settings of the lab.
    fresh: bool = False
    # Codename of the Debian that it is.
    release: str = THIS_RELEASE.name
    # Of the nodes of a role, if not what is usual.
    memory_mb: dict[str, int] = dataclasses.field(default_factory=dict)


class StateDirectory:
    def __init__(self, name: str, root: Path = ROOT) -> None:
        self.name = check_name(name)
        self.path = root / name

    def create(self, record: LabRecord) -> None:
        """Claims the name: of two callers one gets it."""
        self.path.parent.mkdir(mode=0o755, exist_ok=True)
        try:
            self.path.mkdir(mode=0o700)
        except FileExistsError:
            raise AlreadyUp(f"lab {self.name!r} is up already: `lab/lab down --name {self.name}` "
                            "ends it, `--name` names another") from None
        for node in record.nodes:
            self.node(node).mkdir()
        self.save(record)

    def save(self, record: LabRecord) -> None:
        """Of a lab that is up: who joins it from now on gets this."""
        _write_json(self.path / "lab.json", dataclasses.asdict(record))

    def load(self) -> LabRecord:
        try:
            return LabRecord(**_read_json(self.path / "lab.json"))
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"no lab {self.name!r} is up; `lab/lab list` shows all") from None

    def node(self, node: str) -> Path:
        return self.path / node

    def console(self, node: str) -> Path:
        return self.node(node) / "console.log"

    def new_log_directory(self, node: str) -> Path:
        """/var/log of the node's next boot. Its daemons' users must be able to reach it."""
        path = self.node(node) / f"log-{len(self.log_directories(node)) + 1}"
        path.mkdir(mode=0o755)
        return path

    def disk_directory(self, node: str) -> Path:
        """What outlives a power cut of the node: vpnhad's state directory; of a node with a root of
        its own, what outlives a reboot."""
        path = self.node(node) / "disk"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def log_directories(self, node: str) -> list[Path]:
        """One per boot, in order."""
        return sorted(self.node(node).glob("log-*"), key=lambda path: int(path.name[4:]))

    @contextlib.contextmanager
    def switching(self, node: str) -> Iterator[None]:
        """Power is switched by one caller at a time: a scenario and the power service may both
        want to."""
        with open(self.node(node) / "switch.lock", "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def write_config(self, node: str, config: dict) -> Path:
        path = self.node(node) / "config.json"
        _write_json(path, config)
        return path

    def record_process(self, node: str, process: Process) -> None:
        _write_json(self.node(node) / "process.json", dataclasses.asdict(process))

    def process(self, node: str) -> Process | None:
        """The node's main process as recorded, if it is alive."""
        try:
            process = Process(**_read_json(self.node(node) / "process.json"))
        except FileNotFoundError:
            return None
        return process if process.alive() else None


def labs_with_state(root: Path = ROOT) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def _write_json(path: Path, value: dict) -> None:
    """By rename: a reader sees the whole file or none."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")
    temporary.rename(path)


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
