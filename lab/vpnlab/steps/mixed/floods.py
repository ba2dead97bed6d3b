# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods from a client's node, and what daemons and logs of a gateway grow by meanwhile."""
from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping

from ...evidence.expectation import at_least
from ...host.node import Node
from ...host.topology import L2TP
from ...product.vpnha_stack import DAEMON_LOG
from ..run import Run

PER_SECOND = 10_000
# Python in a node sends as many as it can.
SENT_PER_SECOND_MIN = 3_000
# Many addresses that nobody has, and those of clients and of their NAT among others.
NOBODYS, CLIENTS = "192.0.2.128/25", "192.0.2.48/28"
# To an address of the node itself, with that of another node.
TO_THE_NODE = ("lease", "corosync")
LOG = "/var/log/flood.log"


def resident_kib(node: Node, pid: str) -> int:
    status = (node.read(f"/proc/{pid}/status") or "").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@contextlib.contextmanager
def flooding(run: Run, kind: str, sources: str, seconds: float, node: Node, by: str,
             title: str = "") -> Iterator[None]:
    """The client `by` floods meanwhile; returns when it has ended. `node`: which serves. `title`:
    of the flood in expectations, where it is not its kind."""
    client = run.lab.node(by)
    target = L2TP.vip_outside
    if kind in TO_THE_NODE:
        target = node.address("cluster0")
        other = next(each for each in run.lab.gateways if each is not node)
        sources = f"{other.address('cluster0')}/32"
        client.run("ip", "route", "replace", target, "via", node.address("outside"))
    flood = client.start_tool("hostile/flood.py", kind, target, sources, str(PER_SECOND),
                              str(seconds), output=LOG)
    yield
    flood.wait(seconds + 10)
    sent = json.loads((client.read(LOG) or "").splitlines()[-1])
    run.expect(f"{title or kind}_sent_per_second", round(sent["packets"] / sent["seconds"]),
               at_least(SENT_PER_SECOND_MIN))


@dataclasses.dataclass(frozen=True)
class Grown:
    """What the daemons of a node hold in memory, and all of its /var/log, in KiB."""

    resident: Mapping[str, int]
    logs: int
    vpnhad_log: int

    @classmethod
    def of(cls, node: Node, pids: Mapping[str, str]) -> Grown:
        """`pids`: by the names of the daemons. What is logged is read on the host."""
        directory = node.log_directories()[-1]
        sizes = {path.relative_to(directory).as_posix(): path.stat().st_size
                 for path in directory.rglob("*") if path.is_file()}
        return cls({name: resident_kib(node, pid) for name, pid in pids.items()},
                   sum(sizes.values()) >> 10, sizes.get(DAEMON_LOG, 0) >> 10)

    def since(self, before: Grown) -> Grown:
        """By how much each is more now."""
        return Grown({name: kib - before.resident[name] for name, kib in self.resident.items()},
                     self.logs - before.logs, self.vpnhad_log - before.vpnhad_log)
