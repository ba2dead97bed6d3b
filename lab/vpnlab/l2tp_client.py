# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock xl2tpd and pppd as a client: dial, wait, hang up. No extension of ours is on it."""
from __future__ import annotations

import dataclasses

from .l2tp_gateway import PASSWORD, USER, chap_secrets
from .node import Background, Node
from .topology import L2TP, NETWORKS, VIP_OUTSIDE, VpnGateway

CONFIG = "/etc/xl2tpd/xl2tpd.conf"
OPTIONS = "/etc/ppp/options.l2tp-client"
CONTROL = "/run/xl2tpd/l2tp-control"
XL2TPD_LOG = "/var/log/xl2tpd.log"
PPPD_LOG = "/var/log/pppd.log"
IP_UP_LOG = "/run/lab/ip-up.log"
INTERFACE = "ppp0"
CONNECTION = "vpn"

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


def client_config(lns: str = VIP_OUTSIDE, redial: Redial | None = None) -> str:
    lines = ["[global]", "port = 1701", f"[lac {CONNECTION}]", f"lns = {lns}",
             f"pppoptfile = {OPTIONS}", "length bit = yes"]
    if redial is not None:
        lines += ["redial = yes", f"redial timeout = {redial.timeout_s}"]
    return "\n".join(lines) + "\n"


def client_options(user: str = USER) -> str:
    lines = ["noauth", "noipdefault", "nodefaultroute", "noccp", "novj", f"user {user}",
             "mtu 1400", "mru 1400", "lcp-echo-interval 10", "lcp-echo-failure 3", "debug",
             f"logfile {PPPD_LOG}"]
    return "\n".join(lines) + "\n"


@dataclasses.dataclass(frozen=True)
class Dialled:
    """One successful dial: the interface and both ends' addresses."""

    interface: str
    local: str
    remote: str


def parse_ip_up(log: str) -> list[Dialled]:
    """Each line of the ip-up log is one time that IPCP came up."""
    return [Dialled(*line.split()) for line in log.splitlines() if len(line.split()) == 3]


class L2tpClient:
    def __init__(self, node: Node, redial: Redial | None = None, user: str = USER,
                 password: str = PASSWORD, gateway: VpnGateway = L2TP) -> None:
        self.node = node
        self._gateway = gateway
        self._redial = redial
        self._user = user
        self._password = password
        self._daemon: Background | None = None

    def start(self) -> None:
        """Configures and starts xl2tpd, which does not dial yet."""
        self.node.put(CONFIG, client_config(self._gateway.vip_outside, self._redial))
        self.node.put(OPTIONS, client_options(self._user))
        self.node.put("/etc/ppp/chap-secrets", chap_secrets(self._user, self._password),
                      mode=0o600)
        self.node.put("/etc/ppp/ip-up", IP_UP, mode=0o755)
        self.node.put("/etc/ppp/ip-down", "#!/bin/sh\n", mode=0o755)
        self.node.run("mkdir", "-p", "/run/xl2tpd")
        self._daemon = self.node.start(
            "xl2tpd", "-D", "-c", CONFIG, "-C", CONTROL, "-p", "/run/xl2tpd/xl2tpd.pid",
            stdout=XL2TPD_LOG, stderr=XL2TPD_LOG)

    def ready(self) -> bool:
        return "Listening on IP address" in (self.node.read(XL2TPD_LOG) or "")

    def dial(self) -> None:
        self.node.channel.request("put", f"c {CONNECTION}\n".encode(), path=CONTROL, append=True)

    def dialled(self) -> list[Dialled]:
        """Every time a session came up, the first one first."""
        return parse_ip_up(self.node.read(IP_UP_LOG) or "")

    def up(self) -> bool:
        return self.node.has_interface(INTERFACE) and bool(self.dialled())

    def hang_up(self) -> None:
        """Ends the session as a user does; xl2tpd tells the gateway."""
        self.node.channel.request("put", f"d {CONNECTION}\n".encode(), path=CONTROL, append=True)

    def gone(self) -> bool:
        return not self.node.has_interface(INTERFACE)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def logs(self) -> dict[str, str]:
        """The client's logs so far, by short name."""
        return {name: self.node.read(path) or "" for name, path in
                (("xl2tpd", XL2TPD_LOG), ("pppd", PPPD_LOG), ("ip-up", IP_UP_LOG))}
