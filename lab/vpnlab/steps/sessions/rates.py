# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rate of a session costs a packet: pairs of devices in a network namespace of a node, and
the program that limits them as vpnhad does and sends packets over them,
tests/bench/rates_bench.cpp.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from ...host.errors import NotFound
from ...host.node import Node
from ...host.stage import BUILD

PROGRAM = BUILD / "tests" / "bench" / "rates_bench"
NETNS = "rates"
LIMIT_S = 120.0
# The rate of rates_bench.cpp, in octets a second, as accel-ppp's shaper calculates its buckets:
# down-burst-factor 0.1, up-burst-factor 1, latency 50 ms.
RATE = 250_000_000
BURST_DOWN, BURST_UP, LATENCY = RATE // 10, RATE, "50ms"
RATE_OF_TC = f"{RATE * 8}bit"


def devices_file(count: int) -> str:
    """What `ip -batch` does: sN is a session's device, cN is its client's."""
    return "".join(f"link add s{number} type veth peer name c{number}\n"
                   f"link set s{number} up\nlink set c{number} up\n" for number in range(count))


def unlimited_file(count: int) -> str:
    """What `tc -batch` does for the queue that the kernel gives a ppp device; one of veth has
    none."""
    return "".join(f"qdisc add dev s{number} root handle 1: pfifo_fast\n"
                   for number in range(count))


def accel_file(count: int) -> str:
    """What `tc -batch` does for accel-ppp's shaper with its defaults, down-limiter tbf and
    up-limiter police (install_tbf() and install_police() in accel-pppd/shaper/limiter.c)."""
    return "".join(
        f"qdisc add dev s{number} root handle 1: tbf rate {RATE_OF_TC} burst {BURST_DOWN} "
        f"latency {LATENCY}\n"
        f"qdisc add dev s{number} handle ffff: ingress\n"
        f"filter add dev s{number} parent ffff: protocol all pref 100 u32 match u32 0 0 "
        f"flowid :1 action police rate {RATE_OF_TC} burst {BURST_UP} conform-exceed drop\n"
        for number in range(count))


class Sessions:
    """Devices of so many sessions on a node, none of them limited."""

    def __init__(self, node: Node, count: int) -> None:
        if not PROGRAM.exists():
            raise NotFound("rates_bench is not built: cmake --preset release && "
                           "cmake --build --preset release --target rates_bench")
        self._node, self._count = node, count
        node.run("ip", "netns", "add", NETNS)
        # Else each device sends what IPv6 sends for a new address.
        for scope in ("all", "default"):
            self._within("sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1")
        node.run("ip", "-n", NETNS, "-batch", "-", stdin=devices_file(count), timeout=LIMIT_S)

    def limits(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """By name: what limits all sessions from now on, in place of what did before."""
        yield "none", lambda: self._replace(unlimited_file)
        yield "vpnha", lambda: self._run("limit", self._count)
        yield "accel-ppp", lambda: self._replace(accel_file)

    def flood(self, numbers: tuple[int, ...]) -> list[dict]:
        """For each direction and number of sessions with traffic what rates_bench.cpp has found."""
        return json.loads(self._run("send", *numbers))

    def clear(self) -> None:
        self._run("clear", self._count)

    def _replace(self, commands: Callable[[int], str]) -> None:
        self._node.run("tc", "-n", NETNS, "-batch", "-", stdin=commands(self._count),
                       timeout=LIMIT_S)

    def _run(self, role: str, *numbers: int) -> str:
        return self._within(str(PROGRAM), role, *map(str, numbers))

    def _within(self, *command: str) -> str:
        return self._node.run("ip", "netns", "exec", NETNS, *command, timeout=LIMIT_S).stdout
