# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock xl2tpd and pppd as a client: dial, wait, hang up. No extension of ours is on it."""
from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

from ..host.node import Node
from ..host.topology import L2TP, NETWORKS, VIP_OUTSIDE, VpnGateway
from .dialler import Dialled
from .l2tp_gateway import PASSWORD, USER, chap_secrets

CONFIG = "/etc/xl2tpd/xl2tpd.conf"
OPTIONS = "/etc/ppp/options.l2tp-client"
CONTROL = "/run/xl2tpd/l2tp-control"
XL2TPD_LOG = "/var/log/xl2tpd.log"
PPPD_LOG = "/var/log/pppd.log"
IP_UP_LOG = "/run/lab/ip-up.log"
IPV6_UP_LOG = "/run/lab/ipv6-up.log"
INTERFACE = "ppp0"
CONNECTION = "vpn"
MTU = 1400

# Debian's own script runs a directory of scripts: a second of forks in a node.
IP_UP = f"""\
#!/bin/sh
ip route replace {NETWORKS["inside"].prefix} dev "$1"
echo "$1 $4 $5" >>{IP_UP_LOG}
"""


@dataclasses.dataclass(frozen=True)
class Redial:
    """xl2tpd's own redialling; the stock default is not to."""

    timeout_s: int


def client_config(lns: str = VIP_OUTSIDE, redial: Redial | None = None,
                  connections: Sequence[str] = (CONNECTION,), port: int = 1701) -> str:
    """`port`: from which it speaks."""
    lines = ["[global]", f"port = {port}"]
    for connection in connections:
        lines += [f"[lac {connection}]", f"lns = {lns}", f"pppoptfile = {OPTIONS}",
                  "length bit = yes"]
        if redial is not None:
            lines += ["redial = yes", f"redial timeout = {redial.timeout_s}"]
    return "\n".join(lines) + "\n"


def client_options(user: str = USER, mtu: int = MTU) -> str:
    lines = ["noauth", "noipdefault", "nodefaultroute", "noccp", "novj", f"user {user}",
             f"mtu {mtu}", f"mru {mtu}", "lcp-echo-interval 10", "lcp-echo-failure 3", "debug",
             f"logfile {PPPD_LOG}"]
    return "\n".join(lines) + "\n"


def parse_ip_up(log: str) -> list[Dialled]:
    """Each line of the ip-up log is one time that IPCP came up."""
    return [Dialled(*line.split()) for line in log.splitlines() if len(line.split()) == 3]


class L2tpClient:
    """The dialler of plain L2TP."""

    protocol = "l2tp"
    interface = INTERFACE
    # Nothing is hidden; and their lines have no time.
    logs = ()

    def __init__(self, node: Node, redial: Redial | None = None, user: str = USER,
                 password: str = PASSWORD, gateway: VpnGateway = L2TP,
                 mtu: int = MTU, syslog: str = "", ppp: Sequence[str] = (),
                 without: Collection[str] = (),
                 connections: Sequence[str] = (CONNECTION,), port: int = 1701) -> None:
        """`syslog`: the file of /var/log into which a syslog daemon of the node puts what xl2tpd
        logs. `ppp`: further options of pppd. `without`: options of pppd that are left out.
        `connections`: each in a tunnel of its own. `port`: from which it speaks."""
        self.node = node
        self.gateway = gateway
        self._mtu = mtu
        self._ppp = ppp
        self._without = without
        self._connections = connections
        self._port = port
        self._syslog = syslog
        self._redial = redial
        self._user = user
        self._password = password

    def start(self) -> None:
        """Configures and starts xl2tpd, which does not dial yet."""
        lns = f"{self.gateway.vip_outside}:{self.gateway.l2tp_port}"
        self.node.put(CONFIG, client_config(lns, self._redial, self._connections,
                                            self._port))
        options = [*client_options(self._user, self._mtu).splitlines(), *self._ppp]
        self.node.put(OPTIONS, "".join(f"{option}\n" for option in options
                                       if option not in self._without))
        self.node.put("/etc/ppp/chap-secrets", chap_secrets(self._user, self._password),
                      mode=0o600)
        self.node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        self.node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)
        self.node.run("mkdir", "-p", "/run/xl2tpd")
        self.node.start(
            "xl2tpd", "-D", *(["-l"] if self._syslog else []), "-c", CONFIG, "-C", CONTROL,
            "-p", "/run/xl2tpd/xl2tpd.pid", stdout=XL2TPD_LOG, stderr=XL2TPD_LOG)

    def ready(self) -> bool:
        log = self._syslog or Path(XL2TPD_LOG).name
        return "Listening on IP address" in self.node.read_log(log)

    def dial(self, connection: str = CONNECTION) -> None:
        self._ask("c", connection)

    def dialled(self) -> list[Dialled]:
        """Every time a session came up, the first one first."""
        return parse_ip_up(self.node.read(IP_UP_LOG) or "")

    def up(self) -> bool:
        dialled = self.dialled()
        return bool(dialled) and self.node.has_interface(dialled[-1].interface)

    def hang_up(self, connection: str = CONNECTION) -> None:
        """Ends the session as a user does; xl2tpd notifies the gateway."""
        self._ask("d", connection)

    def gone(self) -> bool:
        """Of the last session; it is not at INTERFACE if the pppd before it had not ended yet."""
        dialled = self.dialled()
        return not self.node.has_interface(dialled[-1].interface if dialled else INTERFACE)

    def close(self) -> None:
        """Nothing is below a tunnel of L2TP."""

    def _ask(self, what: str, connection: str) -> None:
        self.node.channel.request("put", f"{what} {connection}\n".encode(), path=CONTROL,
                                  append=True)
