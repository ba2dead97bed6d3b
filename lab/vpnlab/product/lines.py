# SPDX-License-Identifier: GPL-2.0-or-later
"""Many sessions of one node, of L2TP or PPTP, which dial and hang up at once. Each has an address
or a port of its own, and what carries it: of many tunnels between the same two addresses and ports
most get no answer."""
from __future__ import annotations

import ipaddress
import re
import signal
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..host.lab import Lab
from ..host.node import Background, Node
from ..host.topology import VIP_OUTSIDE
from .crowd import answered_through, caller_config, options_file
from .l2tp_client import CONNECTION, client_options
from .l2tp_gateway import PASSWORD, SECRETS, chap_secrets
from .pptp_client import MPPE, OPTIONS
from .vpnha_stack import VpnhaStack

LOG = "/run/lab/lines.log"
# What pppd gave as ipparam is the sixth argument: the line. The first one is the interface.
IP_UP = f"#!/bin/sh\necho \"up $6 $1\" >>{LOG}\n"
IP_DOWN = f"#!/bin/sh\necho \"down $6 $1\" >>{LOG}\n"
READY_LIMIT_S = 60.0
PING_S = 0.05
USERS = 20
FIRST_ADDRESS = ipaddress.ip_address("192.0.2.150")


class Answer(NamedTuple):
    """Of a ping."""

    t: float
    sequence: int
    took_s: float


class LinesStack(VpnhaStack):
    """Gateways that know the users of all lines."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        node.put(SECRETS, secrets() + chap_secrets(), mode=0o600)


class Lines:
    """The lines of one node, by their numbers; no two nodes have a number in common."""

    def __init__(self, lab: Lab, node: Node, numbers: range, pptp: bool = False,
                 lns: str = VIP_OUTSIDE, first_port: int | None = None) -> None:
        """`lns`: whom lines of L2TP dial. `first_port`: these speak from the node's address, each
        from a port of its own, of which line 0 has this one."""
        self.numbers = numbers
        self._lns = lns
        self._first_port = first_port
        self._lab = lab
        self._node = node
        self._pptp = pptp
        self._pppds: dict[int, Background] = {}
        self._pings: dict[int, Background] = {}

    def start(self) -> None:
        """Returns when they may dial."""
        node = self._node
        node.put(SECRETS, secrets(), mode=0o600)
        node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        node.put("/etc/ppp/ip-down", IP_DOWN, mode=0o755)
        if self._first_port is None:
            node.run("ip", "-batch", "-", stdin="".join(
                f"address add {address(number)}/24 dev outside\n" for number in self.numbers))
        if self._pptp:
            return
        for number in self.numbers:
            self._start_xl2tpd(number)
        for number in self.numbers:
            self._lab.wait_for(f"xl2tpd {number} of {node.name} is ready", lambda: (
                "Listening on IP address" in node.read_log(xl2tpd_log(number))), READY_LIMIT_S)

    def _start_xl2tpd(self, number: int) -> None:
        node, config, log = self._node, f"/run/lab/line{number}.conf", xl2tpd_log(number)
        own, port = (address(number), 1701) if self._first_port is None else (
            node.address("outside"), self._first_port + number)
        node.put(config, caller_config(own, number, self._lns, port))
        node.put(options_file(number),
                 client_options(user(number)) + f"ipparam {number}\nnoipv6\n")
        node.start("xl2tpd", "-D", "-c", config, "-C", control(number),
                   "-p", f"{control(number)}.pid", stdout=f"/var/log/{log}",
                   stderr=f"/var/log/{log}")

    def dial(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if self._pptp:
                self._pppds[number] = self._node.start(
                    "/usr/sbin/pppd", "pty", f"pptp {VIP_OUTSIDE} --nolaunchpppd --nohostroute "
                    f"--localbind {address(number)} --loglevel 0", "nodetach", "user",
                    user(number), "ipparam", str(number),
                    *(word for option in (*OPTIONS, *MPPE) for word in option.split()))
            else:
                self._send(number, "c")

    def hang_up(self, numbers: Iterable[int]) -> None:
        """Also of those that still dial."""
        for number in numbers:
            if self._pptp:
                self._pppds.pop(number).stop()
            else:
                self._send(number, "d")

    def up(self) -> set[int]:
        """The lines that have a session, as their pppds report."""
        state = {number: event == "up" for event, number, _ in self._events()}
        return {number for number, is_up in state.items() if is_up}

    def answered(self, server: str) -> set[int]:
        """The lines through which the server answers a ping, of three."""
        devices, up = self._devices(), self.up()
        answered = answered_through(self._node, [devices[number] for number in sorted(up)], server)
        return {number for number in up if devices[number] in answered}

    def start_pings(self, numbers: Sequence[int], server: str) -> None:
        """Of the lines with these numbers, which are up."""
        devices = self._devices()
        self._pings = {number: self._node.start(
            "ping", "-n", "-D", "-i", str(PING_S), "-I", devices[number], server,
            stdout=f"/var/log/{ping_log(number)}", stderr="/dev/null") for number in numbers}

    def end_pings(self) -> dict[int, list[Answer]]:
        """Of each line, at the host's time."""
        for ping in self._pings.values():
            ping.stop(signal.SIGINT)
        offset_s = self._node.clock().offset_s
        return {number: answers_of(self._node.read_log(ping_log(number)), offset_s)
                for number in self._pings}

    def sessions(self) -> int:
        """How many there were so far."""
        return sum(event == "up" for event, _, _ in self._events())

    def _events(self) -> list[tuple[str, int, str]]:
        return [(event, int(number), device) for event, number, device in
                (line.split() for line in (self._node.read(LOG) or "").splitlines())
                if int(number) in self.numbers]

    def _devices(self) -> dict[int, str]:
        return {number: name for event, number, name in self._events() if event == "up"}

    def _send(self, number: int, command: str) -> None:
        self._node.channel.request("put", f"{command} {CONNECTION}\n".encode(),
                                   path=control(number), append=True)


def user(number: int) -> str:
    """Some have two lines: they want the same address."""
    return f"user{number % USERS}"


def secrets() -> str:
    """chap-secrets, of all lines."""
    return "".join(f'"{user(number)}" * "{PASSWORD}" *\n' for number in range(USERS))


def address(number: int) -> str:
    return str(FIRST_ADDRESS + number)


def xl2tpd_log(number: int) -> str:
    return f"xl2tpd-{number}.log"


def ping_log(number: int) -> str:
    return f"lab-ping-line{number}.log"


def answers_of(log: str, offset_s: float) -> list[Answer]:
    """Of what `ping -D` prints, at the host's time; `offset_s`: the node's clock less it."""
    return [Answer(float(t) - offset_s, int(sequence), float(ms) / 1000.0)
            for t, sequence, ms in re.findall(
                r"^\[([0-9.]+)\] .* icmp_seq=(\d+) .* time=([0-9.]+) ms", log, re.MULTILINE)]


def silence_ms(answers: Sequence[Answer], until: float) -> float:
    """The longest time without an answer, less the time between two pings. A ping that its node
    sent late, because many pppds share its core, is no silence: where none was lost, it is the
    time that an answer took at most. Who was never answered was silent for ever."""
    waits = [min(late.t - early.t - PING_S, late.took_s) if late.sequence == early.sequence + 1
             else late.t - early.t - PING_S for early, late in zip(answers, answers[1:])]
    waits.append(until - answers[-1].t - PING_S if answers else float("inf"))
    return round(1000 * max(0.0, *waits), 1)


def control(number: int) -> str:
    return f"/run/lab/line{number}"
