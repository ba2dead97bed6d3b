# SPDX-License-Identifier: GPL-2.0-or-later
"""Many sessions of one node, of L2TP or PPTP, which dial and hang up at once. Each has an address
of its own, and what carries it: of many tunnels between the same two addresses and ports most get
no answer."""
from __future__ import annotations

import ipaddress
from collections.abc import Iterable

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
READY_LIMIT_S = 30.0
USERS = 20
FIRST_ADDRESS = ipaddress.ip_address("192.0.2.150")


class LinesStack(VpnhaStack):
    """Gateways that know the users of all lines."""

    def configure(self, node: Node) -> None:
        super().configure(node)
        node.put(SECRETS, secrets() + chap_secrets(), mode=0o600)


class Lines:
    """The lines of one node, by their numbers; no two nodes have a number in common."""

    def __init__(self, lab: Lab, node: Node, numbers: range, pptp: bool = False,
                 lns: str = VIP_OUTSIDE) -> None:
        """`lns`: whom lines of L2TP dial."""
        self.numbers = numbers
        self._lns = lns
        self._lab = lab
        self._node = node
        self._pptp = pptp
        self._pppds: dict[int, Background] = {}

    def start(self) -> None:
        """Returns when they may dial."""
        node = self._node
        node.put(SECRETS, secrets(), mode=0o600)
        node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        node.put("/etc/ppp/ip-down", IP_DOWN, mode=0o755)
        node.run("ip", "-batch", "-", stdin="".join(
            f"address add {address(number)}/24 dev outside\n" for number in self.numbers))
        if self._pptp:
            return
        for number in self.numbers:
            config, log = f"/run/lab/line{number}.conf", f"/var/log/xl2tpd-{number}.log"
            node.put(config, caller_config(address(number), number, self._lns))
            node.put(options_file(number),
                     client_options(user(number)) + f"ipparam {number}\nnoipv6\n")
            node.start("xl2tpd", "-D", "-c", config, "-C", control(number),
                       "-p", f"{control(number)}.pid", stdout=log, stderr=log)
            self._lab.wait_for(f"xl2tpd {number} of {node.name} is ready",
                               lambda log=log: "Listening on IP address" in (node.read(log) or ""),
                               READY_LIMIT_S)

    def dial(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if self._pptp:
                self._pppds[number] = self._node.start(
                    "/usr/sbin/pppd", "pty", f"pptp {VIP_OUTSIDE} --nolaunchpppd --nohostroute "
                    f"--localbind {address(number)} --loglevel 0", "nodetach", "user",
                    user(number), "ipparam", str(number),
                    *(word for option in (*OPTIONS, *MPPE) for word in option.split()))
            else:
                self._say(number, "c")

    def hang_up(self, numbers: Iterable[int]) -> None:
        """Also of those that still dial."""
        for number in numbers:
            if self._pptp:
                self._pppds.pop(number).stop()
            else:
                self._say(number, "d")

    def up(self) -> set[int]:
        """The lines that have a session, as their pppds say."""
        state = {number: event == "up" for event, number, _ in self._events()}
        return {number for number, is_up in state.items() if is_up}

    def answered(self, server: str) -> set[int]:
        """The lines through which the server answers a ping, of three."""
        devices = {number: name for event, number, name in self._events() if event == "up"}
        up = self.up()
        answered = answered_through(self._node, (devices[number] for number in up), server)
        return {number for number in up if devices[number] in answered}

    def sessions(self) -> int:
        """How many there were so far."""
        return sum(event == "up" for event, _, _ in self._events())

    def _events(self) -> list[tuple[str, int, str]]:
        return [(event, int(number), device) for event, number, device in
                (line.split() for line in (self._node.read(LOG) or "").splitlines())]

    def _say(self, number: int, command: str) -> None:
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


def control(number: int) -> str:
    return f"/run/lab/line{number}"
