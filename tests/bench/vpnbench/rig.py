# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodes on this host: namespaces with a real corosync each, joined by two bridges.

Everything lives below a process that is the init of a pid namespace of its own (see isolate()):
when that one ends, however it ends, the kernel takes processes, devices and mounts away with it.
"""
from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

CONF = Path(__file__).resolve().parents[3] / "lab/cluster/corosync.conf.in"
LINKS = 2
CORES = 2
READY_TIMEOUT_S = 30.0

# What runs as the first process of a node; corosync takes its place.
SETUP = """set -e
for folder in /etc/corosync /var/lib/corosync /var/log/corosync /dev/shm /run; do
    mount -t tmpfs none $folder
done
ip link set lo up
echo ready
read -r _
exec corosync -f
"""

UNSHARE = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
           "--kill-child", "--mount-proc"]


class RigError(Exception):
    """The nodes could not be made."""


def pipe(stream: IO[str] | None) -> IO[str]:
    """That of a program which was started with PIPE for it."""
    assert stream is not None
    return stream


def isolate(command: list[str]) -> int:
    """Runs a command as the init of a pid namespace; nothing of it outlives this process."""
    def end(_signal: int, _frame: object) -> None:
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)
    inside = subprocess.Popen([*UNSHARE, *command], start_new_session=True)
    try:
        return inside.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        inside.kill()
        inside.wait()


def confine() -> None:
    """Two cores for all nodes together, whatever the machine has."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


class Node:
    """One node of the cluster, seen from the driver."""

    def __init__(self, number: int, setup: str = SETUP) -> None:
        self.number = number
        self.ports: list[str] = []  # The devices on the bridges.
        self._unshare = subprocess.Popen([*UNSHARE, "sh", "-c", setup], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        if pipe(self._unshare.stdout).readline() != "ready\n":
            raise RigError(f"node {number} could not be set up")
        # Later corosync's: the shell is replaced by it.
        self.corosync = _child(self._unshare.pid)

    def address(self, link: int) -> str:
        return f"10.99.{link}.{self.number}"

    def connect(self) -> None:
        for link in range(LINKS):
            self.attach(f"eth{link}", f"ring{link}")
            _run(*self.enter(), "ip", "address", "add", f"{self.address(link)}/24", "dev",
                 f"eth{link}")

    def attach(self, device: str, bridge: str) -> None:
        """A device of the node's, up, on a bridge."""
        port = f"n{self.number}{bridge}"
        self.ports.append(port)
        _run("ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns",
             str(self.corosync))
        _run("ip", "link", "set", port, "master", bridge, "up")
        _run(*self.enter(), "ip", "link", "set", device, "up")

    def start_corosync(self, conf: str, key: bytes) -> None:
        folder = Path(f"/proc/{self.corosync}/root/etc/corosync")
        (folder / "corosync.conf").write_text(conf)
        (folder / "authkey").write_bytes(key)
        started = pipe(self._unshare.stdin)
        started.write("go\n")
        started.flush()

    def enter(self) -> list[str]:
        """Puts a command into the node."""
        return ["nsenter", "-t", str(self.corosync), "-m", "-u", "-i", "-n", "-p"]

    def sees(self, nodes: int) -> bool:
        """Its corosync is quorate with so many nodes."""
        done = subprocess.run([*self.enter(), "corosync-quorumtool", "-s"], capture_output=True,
                              text=True, check=False)
        words = [line.split() for line in done.stdout.splitlines()]
        return ["Nodes:", str(nodes)] in words and ["Quorate:", "Yes"] in words

    def kill(self) -> None:
        self._unshare.kill()
        self._unshare.wait()


class Rig:
    """So many nodes with a corosync that has formed its ring."""

    def __init__(self, count: int, crypto: bool = True,
                 setup: Callable[[int], str] = lambda number: SETUP) -> None:
        """`setup`: of a node's number, what runs as its first process."""
        self.nodes: list[Node] = []
        self._count = count
        self._crypto = crypto
        self._setup = setup
        self._bridges: list[str] = []
        self._networks: list[str] = []
        self._corosync = ("", b"")

    def __enter__(self) -> Rig:
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        for link in range(LINKS):
            self._add_bridge(f"ring{link}")
        self.nodes = [Node(number, self._setup(number)) for number in range(1, self._count + 1)]
        self._corosync = (self._conf(), secrets.token_bytes(256))
        for node in self.nodes:
            node.connect()
        for node in self.nodes:
            node.start_corosync(*self._corosync)
        end = time.monotonic() + READY_TIMEOUT_S
        while not all(node.sees(self._count) for node in self.nodes):
            if time.monotonic() > end:
                raise RigError(f"corosync formed no ring of {self._count} nodes")
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()
        for bridge in self._bridges:
            _run("ip", "link", "delete", bridge)

    def add_network(self, name: str, address: str) -> None:
        """One more network, with a device of this name on each node and here, which has the
        address."""
        self._add_bridge(name)
        self._networks.append(name)
        _run("ip", "address", "add", address, "dev", name)
        for node in self.nodes:
            node.attach(name, name)

    def named(self, name: str) -> Node:
        """By the host name that the setup gives it: n and its number."""
        return next(node for node in self.nodes if f"n{node.number}" == name)

    def cut(self, node: Node) -> None:
        """Its power: nothing that it sends leaves it any more, and its processes are dead."""
        subprocess.run(["ip", "-batch", "-"], text=True, check=True, input="".join(
            f"link delete {port}\n" for port in node.ports))
        node.kill()

    def start_again(self, dead: Node) -> Node:
        """With the same number, and all networks."""
        node = Node(dead.number, self._setup(dead.number))
        node.connect()
        for name in self._networks:
            node.attach(name, name)
        node.start_corosync(*self._corosync)
        self.nodes[self.nodes.index(dead)] = node
        return node

    def _add_bridge(self, name: str) -> None:
        _run("ip", "link", "add", name, "type", "bridge", "stp_state", "0", "forward_delay", "0",
             "mcast_snooping", "0")
        self._bridges.append(name)
        _run("ip", "link", "set", name, "up")

    def _conf(self) -> str:
        entries = []
        for node in self.nodes:
            lines = [f"        name: n{node.number}", f"        nodeid: {node.number}"]
            lines += [f"        ring{link}_addr: {node.address(link)}" for link in range(LINKS)]
            entries.append("    node {\n" + "\n".join(lines) + "\n    }")
        text = CONF.read_text(encoding="utf-8")
        values = {"CIPHER": "aes256" if self._crypto else "none",
                  "HASH": "sha256" if self._crypto else "none",
                  "TOKEN": "300", "CONSENSUS": "360", "TWO_NODE": str(int(self._count == 2)),
                  "NODES": "\n".join(entries)}
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text


def cpu_seconds(process: int) -> float:
    """CPU time that all threads of a process have used; its stat counts in steps of 10 ms."""
    return sum(int((task / "schedstat").read_text(encoding="utf-8").split()[0])
               for task in Path(f"/proc/{process}/task").iterdir()) / 1e9


def children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text(encoding="utf-8").split()]


def parent(process: int) -> int:
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def _child(process: int) -> int:
    found = children(process)
    if len(found) != 1:
        raise RigError(f"process {process} has {len(found)} children")
    return found[0]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RigError(f"{' '.join(command)}: {done.stderr.strip()}")
