# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab: its namespace, its nodes, the faults done to it; up, joined or taken down."""
from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from .cores import host_cores, join_root_group, shared, ungroup_sessions
from .debian import ARCHIVE_MOUNT, PRODUCT_MOUNT, ensure_debian
from .errors import (AlreadyUp, LabError, NotFound, NoTun, NotRoot, PackageMissing, ResourcesShort,
                     TimedOut)
from .machines import TRAITS, Machine, ensure_machine, usual_kind
from .netns import NetworkNamespace, existing_labs
from .node import NICE, Node
from .recorder import Capture
from .release import RELEASES, THIS_RELEASE, Release
from .roots import TREE, build_of, root_of, run_in_root
from .state import LabRecord, Process, StateDirectory, labs_with_state
from .topology import DEFAULT_NODES, HOST_ROOT, NODES, NodeRoot, node_spec

HOST_TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux",
              "tcpdump": "tcpdump", "python3": "python3"}
# Of a node's nominal memory, what it touches in practice.
MEMORY_SHARE = 0.75
POLL_S = 0.02

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something done to a node on purpose; `t` is the host's time, in seconds since 1970."""

    t: float
    kind: str
    node: str


def check_host(nodes: Iterable[str], memory_mb: Mapping[str, int]) -> None:
    """Fails early, with what to do about it."""
    if os.geteuid() != 0:
        raise NotRoot("the lab needs root: namespaces, TAP devices, negative nice values")
    if not Path("/dev/net/tun").is_char_device():
        raise NoTun("/dev/net/tun is missing: load the kernel module tun, or give this "
                    "container the device")
    missing = sorted({package for tool, package in HOST_TOOLS.items()
                      if shutil.which(tool) is None})
    if missing:
        raise PackageMissing(f"the lab needs: apt-get install {' '.join(missing)}")
    needed = sum(node_spec(name, memory_mb).memory_mb for name in nodes) * MEMORY_SHARE
    directory = os.environ.get("TMPDIR", "/dev/shm")
    for what, free in (("memory", _available_memory_mb()),
                       (directory, shutil.disk_usage(directory).free >> 20)):
        if free < needed:
            raise ResourcesShort(f"these nodes need {needed:.0f} MB of {what}, {free} MB are free")


def _available_memory_mb() -> int:
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) >> 10
    raise LabError("/proc/meminfo has no MemAvailable")


class Lab:
    """All of one lab. As a context manager it is up inside the block and gone after it."""

    def __init__(self, record: LabRecord) -> None:
        self.name = record.name
        self.faults: list[Fault] = []
        self.namespace = NetworkNamespace(record.name)
        self._record = record
        self._state = StateDirectory(record.name)
        self.patience = TRAITS[record.machine].patience
        self._machines: dict[str, Machine] = {}
        self._captures: list[Capture] = []
        self._listeners: list[Callable[[Fault], None]] = []
        # One reading of both clocks: a step of the host's wall clock moves no event.
        self._epoch = time.time() - time.monotonic()
        self.nodes = {name: Node(node_spec(name, record.memory_mb), self.namespace, self._state,
                                 record.token, self._record_fault, TRAITS[record.machine])
                      for name in record.nodes}

    @classmethod
    def new(cls, name: str, nodes: Iterable[str] = DEFAULT_NODES,
            stage: Path | None = None, fresh: Collection[str] = (),
            packages: Path | None = None, memory_mb: Mapping[str, int] | None = None,
            kernel: str | None = None, release: Release = THIS_RELEASE,
            machine: str | None = None, released: Collection[str] | None = None,
            released_stage: Path | None = None) -> Lab:
        """A lab that is not up yet. `stage` is a directory of installed project files, as
        `DESTDIR=stage` leaves them, laid over the host's root in every node. `fresh`: nodes that
        are a newly installed Debian of `release` instead, with systemd; they have an archive of
        Debian's packages, and `packages` as one of the project's. `memory_mb`: of a role's nodes.
        `release`: whose root the gateways have. `released`: those gateways alone, with a stage and
        a kernel of their own; reinstall() makes others so. `kernel`: the series of all nodes, in
        place of that release's. `machine`: one of KINDS, in place of what is usual on this host."""
        if stage is not None and not stage.is_dir():
            raise NotFound(f"no directory {stage} to stage")
        chosen = [node for node in NODES if node in [node_spec(name).name for name in nodes]]
        record = LabRecord(name, chosen, secrets.token_hex(16),
                           str(stage.resolve()) if stage else "", memory_mb=dict(memory_mb or {}),
                           kernel=kernel or release.series, machine=machine or usual_kind())
        if fresh:
            debian = ensure_debian(release)
            record = dataclasses.replace(
                record, fresh=True, release=release.name, rooted=list(fresh),
                root=str(debian.root), mounts={
                    ARCHIVE_MOUNT: str(debian.archive),
                    **({PRODUCT_MOUNT: str(packages.resolve())} if packages else {})})
        elif release != THIS_RELEASE:
            run_in_root(release)
            gateways = [node for node in chosen if node_spec(node).is_gateway]
            if strangers := sorted(set(released or ()) - set(gateways)):
                raise NotFound(f"{', '.join(strangers)}: of the gateways {', '.join(gateways)} "
                               "only")
            # Programs of tests are found where this machine has its own.
            record = dataclasses.replace(
                record, rooted=gateways if released is None else sorted(released),
                root=str(root_of(release)), mounts={str(TREE / "build"): str(build_of(release))})
            if released is not None:
                record = dataclasses.replace(
                    record, kernel=kernel or THIS_RELEASE.series, rooted_kernel=record.kernel,
                    rooted_stage=str(released_stage.resolve()) if released_stage else "")
        return cls(record)

    @classmethod
    def join(cls, name: str) -> Lab:
        """A handle on a lab that is up."""
        return cls(StateDirectory(name).load())

    def __enter__(self) -> Lab:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.down()

    # Up and down.

    def up(self) -> None:
        """Boots all nodes; on any failure nothing of it remains."""
        check_host(self.nodes, self._record.memory_mb)
        for series in filter(None, (self._record.kernel, self._record.rooted_kernel)):
            self._ensured_machine(series)
        if self.name in existing_labs():
            raise AlreadyUp(f"namespace {self.namespace.name} is in the way: "
                            f"`lab/lab down --name {self.name}` takes it down")
        self._state.create(self._record)
        if not TRAITS[self._record.machine].has_own_group:
            ungroup_sessions()
        join_root_group()
        try:
            self.namespace.create(node.spec for node in self.nodes.values())
            for name in self.nodes:
                self._switch_on(name)
            self._each(Node.wait_ready)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Takes everything away; complete even when parts are missing or half made."""
        previous = _ignore_interrupts()
        try:
            self._captures.clear()
            take_down(self.name)
            for node in self.nodes.values():
                node.reap()
        finally:
            _restore_interrupts(previous)

    def _ensured_machine(self, series: str) -> Machine:
        if series not in self._machines:
            self._machines[series] = ensure_machine(self._record.machine, series)
        return self._machines[series]

    def _each(self, action: Callable[[Node], T]) -> list[T]:
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            return list(pool.map(action, self.nodes.values()))

    def private_directory(self, name: str) -> Path:
        """For what goes with the lab, like secrets."""
        return self._state.path / name

    @property
    def release(self) -> Release:
        """Of newly installed nodes."""
        return RELEASES[self._record.release]

    def shared(self, mount: str) -> Path:
        """The directory of the host that newly installed nodes have there."""
        return Path(self._record.mounts[mount])

    # Nodes.

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            raise NotFound(f"lab {self.name!r} has no node {name!r}; it has "
                           f"{', '.join(self.nodes)}")
        return self.nodes[name]

    def gateway(self, name: str) -> Node:
        """The same as node(), used by scenarios where a gateway is meant."""
        node = self.node(name)
        if not node.spec.is_gateway:
            raise NotFound(f"{name} is no gateway")
        return node

    @property
    def gateways(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.spec.is_gateway]

    def power_on(self, name: str, *, wait: bool = True, nice: int = NICE) -> None:
        """Boots a node that has no power, with a fresh root."""
        node = self.node(name)
        self._switch_on(name, nice)
        if wait:
            node.wait_ready()
        else:
            # Its clock is set all the same, as soon as it can be.
            threading.Thread(target=_settle, args=(node,), daemon=True).start()

    def _switch_on(self, name: str, nice: int = NICE) -> None:
        """Another process may have reinstalled the node meanwhile."""
        system = system_of(self._state.load(), name)
        self.node(name).power_on(self._ensured_machine(system.series), system.stage, system.root,
                                 nice)

    def reinstall(self, name: str) -> None:
        """A gateway without power boots the other release from now on, as those do that new() was
        given as `released`; its disk stays."""
        if self.gateway(name).powered():
            raise LabError(f"{name} is powered on")
        record = self._state.load()
        self._state.save(dataclasses.replace(record, rooted=[*record.rooted, name]))

    def share_cores(self, *groups: Sequence[Node]) -> None:
        """Nodes of one group have one core of the host, those of others another one, as long as
        there are cores. Where each node can have its own nothing changes."""
        names = [[node.name for node in group] for group in groups]
        for name, core in shared(names, host_cores()).items():
            self.node(name).use_core(core)

    # Time, faults, conditions.

    def now(self) -> float:
        """The host's time in seconds since 1970, without its clock's steps."""
        return self._epoch + time.monotonic()

    def _record_fault(self, kind: str, node: str) -> None:
        fault = Fault(self.now(), kind, node)
        self.faults.append(fault)
        for listener in self._listeners:
            listener(fault)

    def on_fault(self, listener: Callable[[Fault], None]) -> None:
        self._listeners.append(listener)

    def wait_for(self, what: str, condition: Callable[[], T | None], deadline_s: float,
                 interval_s: float = POLL_S) -> T:
        """Polls until the condition is true and returns its value. A node that is down or does
        not answer makes it false for now, not an error."""
        deadline_s *= self.patience
        deadline = time.monotonic() + deadline_s
        trouble = ""
        while True:
            try:
                if value := condition():
                    return value
                trouble = ""
            except LabError as error:
                trouble = f" (last error: {error})"
            if time.monotonic() >= deadline:
                raise TimedOut(f"not within {deadline_s:g} s: {what}{trouble}")
            time.sleep(interval_s)

    # Captures.

    def capture(self, node: str, network: str, path: Path, expression: str = "") -> Capture:
        """Captures at a node's TAP, what it sends and receives, until stop_captures() or the
        capture's own stop()."""
        return self._capture(self.node(node).spec.tap(network), path, expression)

    def capture_sent(self, node: str, network: str, path: Path) -> Capture:
        """Captures on the bridge what the node sends: only what really got onto the network, so
        nothing of a node whose cable is pulled."""
        macs = self.node(node).spec.macs(network)
        return self._capture(network, path, " or ".join(f"ether src {mac}" for mac in macs))

    def _capture(self, device: str, path: Path, expression: str) -> Capture:
        capture = Capture(self.namespace, device, path, expression)
        self._captures.append(capture)
        return capture

    def stop_captures(self) -> None:
        captures, self._captures = self._captures, []
        for capture in captures:
            capture.stop()


@dataclasses.dataclass(frozen=True)
class System:
    """What a node boots: the series of its kernel, its root, and what is laid over that."""

    series: str
    root: NodeRoot
    stage: str


def system_of(record: LabRecord, name: str) -> System:
    if name not in record.rooted:
        return System(record.kernel, HOST_ROOT, record.stage)
    return System(record.rooted_kernel or record.kernel,
                  NodeRoot(record.root, record.mounts, record.fresh),
                  record.rooted_stage or record.stage)


def _settle(node: Node) -> None:
    """A node that lost its power again meanwhile needs no clock."""
    with contextlib.suppress(LabError):
        node.wait_ready()


def take_down(name: str) -> None:
    """Removes what there is of a lab, by its name alone: every process in its namespace (which
    holds nothing else), the namespace with its devices, the state directory."""
    state = StateDirectory(name)
    namespace = NetworkNamespace(name)
    for node in NODES:
        # First the nodes: their wrappers then end by themselves and leave no zombies.
        if process := state.process(node):
            process.kill()
    deadline = time.monotonic() + 15
    while namespace.path.exists() and (pids := namespace.processes()):
        for pid in pids:
            try:
                Process.of(pid).kill()
            except LabError:
                continue
        if time.monotonic() > deadline:
            raise LabError(f"processes of lab {name!r} do not end: {pids}")
    namespace.delete()
    shutil.rmtree(state.path, ignore_errors=True)


def known_labs() -> list[str]:
    """Labs that are up, and leftovers of killed ones."""
    return sorted({*existing_labs(), *labs_with_state()})


def _ignore_interrupts() -> dict[int, object]:
    """A second Ctrl-C must not leave half a lab behind. Only a main thread may set handlers."""
    try:
        return {number: signal.signal(number, signal.SIG_IGN)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    except ValueError:
        return {}


def _restore_interrupts(previous: dict[int, object]) -> None:
    for number, handler in previous.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
