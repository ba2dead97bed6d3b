# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's network namespace: bridges, TAPs, and sockets opened inside it."""
from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import LabError
from .topology import MANAGEMENT_HOST, NETWORKS, NodeSpec

PREFIX = "vpnha-lab-"
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def namespace_name(lab: str) -> str:
    return PREFIX + lab


def existing_labs() -> list[str]:
    """Names of labs that have a namespace, alive or left over."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(path.name.removeprefix(PREFIX) for path in Path("/run/netns").iterdir()
                      if path.name.startswith(PREFIX))
    return []


class NetworkNamespace:
    """All devices of one lab. They vanish with the namespace."""

    def __init__(self, lab: str) -> None:
        self.name = namespace_name(lab)
        self.path = Path("/run/netns") / self.name

    def create(self, nodes: Iterable[NodeSpec]) -> None:
        _run(["ip", "netns", "add", self.name])
        with self.entered():
            # The lab's own side of a bridge must not speak in the tested networks.
            for scope in ("all", "default"):
                Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
        lines = ["link set lo up"]
        for network in NETWORKS.values():
            lines.append(f"link add {network.name} type bridge stp_state 0 forward_delay 0 "
                         "mcast_snooping 0")
            lines.append(f"link set {network.name} up")
        lines.append(f"address add {MANAGEMENT_HOST}/24 dev management")
        for node in nodes:
            for name in node.networks:
                tap = node.tap(name)
                lines.append(f"tuntap add dev {tap} mode tap vnet_hdr")
                lines.append(f"link set {tap} master {name}")
                lines.append(f"link set {tap} up")
            # Known beforehand: the first packet to a node that boots need not wait for ARP.
            lines.append(f"neighbour add {node.address('management')} lladdr "
                         f"{node.mac('management')} dev management nud permanent")
        self.ip_batch(lines)

    def ip_batch(self, lines: list[str]) -> None:
        _run(["ip", "-n", self.name, "-batch", "-"], "\n".join(lines))

    def set_cable(self, tap: str, plugged: bool) -> None:
        """By the state of the bridge's port, which holds at once. A TAP that is set down makes
        the node's driver give up for good; a lost carrier is heeded up to a second late."""
        _run(["bridge", "-n", self.name, "link", "set", "dev", tap, "state",
              "forwarding" if plugged else "disabled"])

    def drop_to(self, tap: str) -> None:
        """A queue too short for any frame, between the bridge and the node."""
        _run(["tc", "-n", self.name, "qdisc", "replace", "dev", tap, "root", "bfifo", "limit",
              "1"])

    def prefix(self) -> list[str]:
        """Puts a command into the namespace."""
        return ["nsenter", f"--net={self.path}"]

    def processes(self) -> list[int]:
        """Everything that lives in the namespace: all of it belongs to the lab."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True,
                              check=False)
        return [int(word) for word in done.stdout.split() if int(word) != os.getpid()]

    def delete(self) -> None:
        if self.path.exists():
            _run(["ip", "netns", "delete", self.name])

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is inside the namespace for the duration of the block."""
        task = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        with open(task, "rb") as home, open(self.path, "rb") as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """A TCP connection out of the namespace; the socket keeps living outside of it."""
        with self.entered():
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            stream.settimeout(timeout)
            stream.connect((address, port))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            stream.close()
            raise
        return stream


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise LabError(f"setns: {os.strerror(code)}")


def _run(command: list[str], stdin: str = "") -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
