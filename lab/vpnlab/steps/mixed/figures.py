# SPDX-License-Identifier: GPL-2.0-or-later
"""What a node holds: memory, descriptors and objects of the kernel. In a soak they stay as they
are."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...evidence.expectation import at_most
from ...host.node import Node
from ...product.vpnha_stack import DAEMON
from ..run import Run

# How much more of each may be held at the end than at the beginning, by the node that holds most.
# Nodes change their roles meanwhile, and a resumed session has no pppd.
LEEWAY = {"vpnhad_kib": 8192, "vpnhad_descriptors": 16, "vpnhad_threads": 4, "processes": 24,
          "kernel_kib": 16384, "sockets": 64, "interfaces": 4, "flows": 256, "sas": 6,
          "policies": 12, "rules": 4}
# Of these the leeway holds all the time. A node that lost its power or its vpnhad a moment ago
# holds little: at the end alone it would hide what grows.
OF_VPNHAD = ("vpnhad_kib", "vpnhad_descriptors", "vpnhad_threads")
Held = Mapping[str, int]


def held(node: Node) -> dict[str, int]:
    """Flat is each of them by itself. `vpnhad_kib`: what is its own, without the pages of its
    program, of which the next release has other ones. `kernel_kib`: what the kernel cannot give
    back."""
    pid = node.process(DAEMON)
    status = node.read(f"/proc/{pid}/status") or ""
    return {
        "vpnhad_kib": _field(status, "RssAnon"),
        "vpnhad_descriptors": len(node.run("ls", f"/proc/{pid}/fd").stdout.split()),
        "vpnhad_threads": _field(status, "Threads"),
        "processes": _processes(node.read("/proc/loadavg") or ""),
        "kernel_kib": _field(node.read("/proc/meminfo") or "", "SUnreclaim"),
        "sockets": _field(node.read("/proc/net/sockstat") or "", "sockets: used"),
        # Two lines are the head.
        "interfaces": len((node.read("/proc/net/dev") or "").splitlines()) - 2,
        "flows": int(node.read("/proc/sys/net/netfilter/nf_conntrack_count") or 0),
        "sas": _field(node.run("ip", "xfrm", "state", "count").stdout.strip(), "SAD count"),
        "policies": sum(map(int, re.findall(r"\b(?:IN|OUT|FWD) +(\d+)", node.run(
            "ip", "xfrm", "policy", "count").stdout))),
        "rules": len(node.run("ip", "rule").stdout.splitlines())}


def most(nodes: Mapping[str, Held]) -> dict[str, int]:
    """Of each the most that a node holds."""
    return {name: max(each[name] for each in nodes.values()) for name in LEEWAY}


def expect_flat(run: Run, before: Mapping[str, Held], after: Mapping[str, Held],
                meanwhile: Sequence[Held] = ()) -> None:
    """`meanwhile`: of the node that held most, each time that all was whole."""
    begun, ended = most(before), most(after)
    for name, leeway in LEEWAY.items():
        run.expect(f"{name}_held", ended[name], at_most(begun[name] + leeway))
    for name in OF_VPNHAD:
        run.expect(f"{name}_peak", max((each[name] for each in meanwhile), default=ended[name]),
                   at_most(begun[name] + LEEWAY[name]))


def _field(text: str, name: str) -> int:
    found = re.search(rf"^{name}:?\s+(\d+)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"no {name} in {text[:40]!r}")
    return int(found[1])


def _processes(loadavg: str) -> int:
    """The fourth field: those that run, and all, threads included."""
    return int(loadavg.split()[3].partition("/")[2])
