# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions in numbers. A crowd is one client with several lines, each of which dials, stays for a
moment, hangs up and dials again, until it is stopped: stock xl2tpd and pppd. Callers are the
sessions of one node that stay. Announced sessions are more than a node could run processes for:
only vpnhad and the standbys' kernels have them."""
from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Iterable

from ..host.errors import LabError
from ..host.lab import Lab
from ..host.node import Background, Node
from ..host.topology import L2TP, VIP_OUTSIDE
from .l2tp_client import CONNECTION, CONTROL, XL2TPD_LOG, client_options
from .l2tp_gateway import SECRETS, USER, chap_secrets
from .pptp_client import MPPE
from .pptp_client import OPTIONS as PPTP_OPTIONS

CONFIG = "/etc/xl2tpd/xl2tpd.conf"
LOG = "/run/lab/crowd.log"
# What pppd gave as ipparam is the sixth argument: the line.
IP_UP = f"#!/bin/sh\necho \"up $6\" >>{LOG}\n"
IP_DOWN = f"#!/bin/sh\necho \"down $6\" >>{LOG}\n"
STAY_S = 1.0
# After a hang-up xl2tpd still has the line's tunnel for a moment; a dial may be lost then.
REDIAL_S = 5.0
POLL_S = 0.1
START_LIMIT_S = 30.0
END_LIMIT_S = 20.0


def crowd_config(lines: int, lns: str = VIP_OUTSIDE) -> str:
    sections = ["[global]\nport = 1701"]
    sections += [f"[lac line{line}]\nlns = {lns}\npppoptfile = {options_file(line)}\n"
                 "length bit = yes" for line in range(lines)]
    return "\n".join(sections) + "\n"


def options_file(line: int) -> str:
    return f"/etc/ppp/options.line{line}"


class Line:
    """One line: what it should do next, decided by what has become of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_up = False
        self._since: float | None = None

    def on_log(self, event: str, now: float) -> None:
        self.is_up = event == "up"
        self._since = now

    def next_command(self, now: float) -> str:
        """What to write into xl2tpd's control pipe now; empty: nothing."""
        if self.is_up:
            due, command = STAY_S, "d"
        else:
            due, command = REDIAL_S if self._since is not None else 0.0, "c"
        if self._since is not None and now < self._since + due:
            return ""
        self._since = now
        return f"{command} {self.name}\n"


class Crowd:
    """The lines of one node. start() returns when they dial, stop() when no one does any more;
    sessions that are up then stay up until hang_up()."""

    def __init__(self, lab: Lab, name: str, lines: int) -> None:
        self._lab = lab
        self._node = lab.node(name)
        self._lines = {f"line{number}": Line(f"line{number}") for number in range(lines)}
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._stopping = threading.Event()
        self._read = 0
        self.sessions = 0

    def start(self) -> None:
        node = self._node
        node.put(CONFIG, crowd_config(len(self._lines)))
        for number in range(len(self._lines)):
            node.put(options_file(number), client_options() + f"ipparam line{number}\n")
        node.put(SECRETS, chap_secrets(), mode=0o600)
        node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        node.put("/etc/ppp/ip-down", IP_DOWN, mode=0o755)
        node.run("mkdir", "-p", "/run/xl2tpd")
        node.start("xl2tpd", "-D", "-c", CONFIG, "-C", CONTROL, "-p", "/run/xl2tpd/xl2tpd.pid",
                   stdout=XL2TPD_LOG, stderr=XL2TPD_LOG)
        self._lab.wait_for(f"xl2tpd of {node.name} is ready",
                           lambda: "Listening on IP address" in (node.read(XL2TPD_LOG) or ""),
                           START_LIMIT_S)
        self._thread.start()

    def _loop(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self._follow()
                self._command(next(filter(None, (line.next_command(time.monotonic())
                                                 for line in self._lines.values())), ""))
            except LabError:
                continue  # The node is busy; what is due stays due.

    def _follow(self) -> None:
        events = (self._node.read(LOG) or "").splitlines()
        for event in events[self._read:]:
            kind, _, name = event.partition(" ")
            self._lines[name].on_log(kind, time.monotonic())
            self.sessions += kind == "up"
        self._read = len(events)

    def _command(self, command: str) -> None:
        """One at a time: xl2tpd takes what it reads at once for one command."""
        if command:
            self._node.channel.request("put", command.encode(), path=CONTROL, append=True)

    def stop(self) -> None:
        """No line dials or hangs up by itself any more."""
        self._stopping.set()
        self._thread.join()

    def hang_up(self) -> None:
        """Ends what is up or still dials, line by line, and waits for the end."""
        unstopped = list(self._lines.values())

        def ended() -> bool:
            self._follow()
            up = next((line for line in self._lines.values() if line.is_up), None)
            line = unstopped.pop() if unstopped else up
            if line is not None:
                self._command(f"d {line.name}\n")
            return line is None
        self._lab.wait_for(f"all lines of {self._node.name} are down", ended, END_LIMIT_S)


def answered_through(node: Node, interfaces: Iterable[str], server: str) -> set[str]:
    """The interfaces of a node through which the server answers a ping, of three."""
    return set(node.run_tool("probes/ping_through.py", server, *interfaces).stdout.split())


class Callers:
    """Sessions of one node that stay until hang_up(), each with an xl2tpd and an address of its
    own: of many tunnels between the same two addresses and ports most get no answer to LCP."""

    FIRST_ADDRESS = ipaddress.ip_address("192.0.2.150")
    LOG = "/run/lab/callers.log"
    # Interface and the caller's number, which pppd gave as ipparam.
    IP_UP = f"#!/bin/sh\necho \"$1 $6\" >>{LOG}\n"

    def __init__(self, lab: Lab, node: Node, count: int) -> None:
        self._lab = lab
        self._node = node
        self._count = count

    def dial(self) -> list[str]:
        """One after the other; returns the interfaces when all are up."""
        node = self._node
        node.put(SECRETS, chap_secrets(), mode=0o600)
        node.put("/etc/ppp/ip-up", self.IP_UP, mode=0o755)
        node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)
        node.run("ip", "-batch", "-", stdin="".join(
            f"address add {self.FIRST_ADDRESS + number}/24 dev outside\n"
            for number in range(self._count)))
        for number in range(self._count):
            self._start(number)
            self._send(number, "c")
            self._lab.wait_for(f"caller {number} of {node.name} is up",
                               lambda: len(self.interfaces()) > number, START_LIMIT_S)
        return self.interfaces()

    def _start(self, number: int) -> None:
        config, control = f"/run/lab/caller{number}.conf", self._control(number)
        log = f"/var/log/xl2tpd-{number}.log"
        self._node.put(config, caller_config(str(self.FIRST_ADDRESS + number), number))
        self._node.put(options_file(number), client_options() + f"ipparam {number}\n")
        self._node.start("xl2tpd", "-D", "-c", config, "-C", control, "-p", f"{control}.pid",
                         stdout=log, stderr=log)
        self._lab.wait_for(f"xl2tpd {number} of {self._node.name} is ready",
                           lambda: "Listening on IP address" in (self._node.read(log) or ""),
                           START_LIMIT_S)

    def _control(self, number: int) -> str:
        return f"/run/lab/caller{number}"

    def _send(self, number: int, command: str) -> None:
        self._node.channel.request("put", f"{command} {CONNECTION}\n".encode(),
                                   path=self._control(number), append=True)

    def interfaces(self) -> list[str]:
        return [line.split()[0] for line in (self._node.read(self.LOG) or "").splitlines()]

    def hang_up(self) -> None:
        """Ends all of them, and waits for the end."""
        for number in range(self._count):
            self._send(number, "d")
        self._lab.wait_for(f"all callers of {self._node.name} are gone",
                           lambda: not any(self._node.has_interface(name)
                                           for name in self.interfaces()), END_LIMIT_S)


class PptpCallers:
    """The same of PPTP with MPPE-128, each a pppd and a pptp with an address of their own: pptp
    processes that share one would share their control connection."""

    FIRST_ADDRESS = ipaddress.ip_address("192.0.2.130")
    LOG = "/run/lab/callers.log"
    # Interface and the address that the caller was given.
    IP_UP = f"#!/bin/sh\necho \"$1 $4\" >>{LOG}\n"
    # Beginning at once, one call of two would time out on the lab's one core a node.
    AT_ONCE = 4
    OPTIONS = ("nodetach", "user", USER, *PPTP_OPTIONS, *MPPE)

    def __init__(self, lab: Lab, node: Node, count: int) -> None:
        self._lab = lab
        self._node = node
        self._count = count
        self._pppds: list[Background] = []

    def dial(self) -> list[str]:
        """A few at a time; returns the interfaces when all are up."""
        node = self._node
        node.put(SECRETS, chap_secrets(), mode=0o600)
        node.put("/etc/ppp/ip-up", self.IP_UP, mode=0o755)
        node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)
        node.run("ip", "-batch", "-", stdin="".join(
            f"address add {self.FIRST_ADDRESS + number}/24 dev outside\n"
            for number in range(self._count)))
        words = [word for option in self.OPTIONS for word in option.split()]
        for number in range(self._count):
            self._pppds.append(node.start(
                "/usr/sbin/pppd", "pty", f"pptp {L2TP.vip_outside} --nolaunchpppd --nohostroute "
                f"--localbind {self.FIRST_ADDRESS + number} --loglevel 0", *words,
                stdout="/dev/null", stderr="/dev/null"))
            self._lab.wait_for(f"caller {number} of {node.name} may dial",
                               lambda: len(self.interfaces()) > number - self.AT_ONCE,
                               START_LIMIT_S)
        self._lab.wait_for(f"all callers of {node.name} are up",
                           lambda: len(self.interfaces()) == self._count, START_LIMIT_S)
        return self.interfaces()

    def interfaces(self) -> list[str]:
        return [line.split()[0] for line in (self._node.read(self.LOG) or "").splitlines()]

    def answered(self, server: str) -> list[str]:
        """The interfaces through which the server answers a ping, of three."""
        return sorted(answered_through(self._node, self.interfaces(), server))

    def hang_up(self) -> None:
        """Ends all of them, and waits for the end."""
        for pppd in self._pppds:
            pppd.stop()
        self._lab.wait_for(f"all callers of {self._node.name} are gone",
                           lambda: not any(self._node.has_interface(name)
                                           for name in self.interfaces()), END_LIMIT_S)


def caller_config(address: str, number: int, lns: str = VIP_OUTSIDE, port: int = 1701) -> str:
    """`port`: from which it speaks."""
    return (f"[global]\nport = {port}\nlisten-addr = {address}\n[lac {CONNECTION}]\n"
            f"lns = {lns}:1701\n"
            f"pppoptfile = {options_file(number)}\nlength bit = yes\n")


class AnnouncedSessions:
    """Sessions that a program announces to the promoted node's vpnhad as pppd's plugin would. Their
    peers are a program too, which answers what a gateway sends to them."""

    FIRST = 20000
    ADDRESS = str(ipaddress.ip_network(L2TP.announced_pool)[1])
    SOCKET = "/run/vpnha/pppd.sock"
    CROWD_LOG, PEERS_LOG = "/run/lab/session_crowd.log", "/run/lab/l2tp_peers.log"

    def __init__(self, lab: Lab, gateway: Node, peer: Node, count: int) -> None:
        self._lab = lab
        self._gateway = gateway
        self._peer = peer
        self._count = count
        self._peers: Background | None = None

    def start(self, *options: str, deadline_s: float = START_LIMIT_S) -> None:
        """Returns when all have been announced. `options`: further ones of session_crowd.py."""
        first, count = str(self.FIRST), str(self._count)
        self._peers = self._run(self._peer, "listening", self.PEERS_LOG, START_LIMIT_S,
                                "l2tp_peers.py", first, count)
        self._run(self._gateway, "announced", self.CROWD_LOG, deadline_s, "session_crowd.py",
                  self.SOCKET, L2TP.name, self._peer.address("outside"), first, count,
                  self.ADDRESS, L2TP.ppp_local, *options)

    def waited(self) -> dict[str, float]:
        """For its address, in ms: percentiles, where they have asked."""
        return json.loads((self._gateway.read(self.CROWD_LOG) or "").splitlines()[0])

    def answered(self) -> dict[str, int]:
        """To how many peers a gateway has spoken, and what they have answered so far."""
        lines = (self._peer.read(self.PEERS_LOG) or "").splitlines()
        shown = [line for line in lines if line.startswith("{")]
        return json.loads(shown[-1]) if shown else {"reached": 0}

    def hang_up(self, deadline_s: float) -> int:
        """Each peer that a gateway has spoken to ends its tunnel; returns how many of these a
        gateway has not acknowledged."""
        assert self._peers is not None
        self._peers.stop(timeout=deadline_s)
        return self.answered()["reached"]

    def _run(self, node: Node, word: str, log: str, deadline_s: float, tool: str,
             *arguments: str) -> Background:
        process = node.start_tool(tool, *arguments, output=log)
        self._lab.wait_for(f"{tool} of {node.name} prints {word!r}",
                           lambda: word in (node.read(log) or ""), deadline_s)
        return process
