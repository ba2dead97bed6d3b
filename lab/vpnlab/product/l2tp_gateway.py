# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock xl2tpd and pppd as an LNS on a gateway node: configuration, start, leftovers.

The texts are pure, so that the cluster's resources can use them with files of their own.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..host.node import Background, Node, within
from ..host.topology import L2TP, VIP_INSIDE, VIP_OUTSIDE, VpnGateway

CONFIG = "/etc/xl2tpd/xl2tpd.conf"
OPTIONS = "/etc/ppp/options.xl2tpd"
SECRETS = "/etc/ppp/chap-secrets"
CONTROL = "/run/xl2tpd/l2tp-control"
PID_FILE = "/run/xl2tpd/xl2tpd.pid"
XL2TPD_LOG = "/var/log/xl2tpd.log"
PPPD_LOG = "/var/log/pppd.log"
XL2TPD_COMMAND = f"/usr/sbin/xl2tpd -c {CONFIG} -p {PID_FILE} -C {CONTROL}"
USER, PASSWORD = "alice", "lab-password"
# The name a gateway authenticates as; the same on all of them, for to a client they are one.
SERVER_NAME = "vpn"


@dataclasses.dataclass(frozen=True)
class LnsConfig:
    """One LNS: what it listens on and what it hands out. Pools of different nodes must not
    overlap, for xl2tpd knows nothing of sessions that came from another node."""

    listen: str
    pool: tuple[str, str]
    ppp_local: str = L2TP.ppp_local
    options_file: str = OPTIONS
    port: int = L2TP.l2tp_port

    def text(self) -> str:
        return f"""\
[global]
listen-addr = {self.listen}
port = {self.port}
[lns default]
ip range = {self.pool[0]}-{self.pool[1]}
local ip = {self.ppp_local}
require chap = yes
refuse pap = yes
require authentication = yes
name = {SERVER_NAME}
length bit = yes
pppoptfile = {self.options_file}
"""


def lns_config(node: Node, gateway: VpnGateway = L2TP, options_file: str = OPTIONS) -> LnsConfig:
    """A gateway's LNS on one node: its own pool, the VIP of all."""
    return LnsConfig(gateway.vip_outside, gateway.pool(node.spec), gateway.ppp_local, options_file,
                     gateway.l2tp_port)


def ppp_options(extra: Sequence[str] = (), log: str = PPPD_LOG) -> str:
    """pppd's options on the gateway. noccp and novj: neither has state that a tunnel needs."""
    lines = ["auth", "require-chap", "noccp", "novj", "nodefaultroute", "noproxyarp",
             "mtu 1400", "mru 1400", "lcp-echo-interval 30", "lcp-echo-failure 4", "debug",
             f"logfile {log}", *extra]
    return "\n".join(lines) + "\n"


def chap_secrets(user: str = USER, password: str = PASSWORD) -> str:
    return f'"{user}" * "{password}" *\n'


def take_addresses(node: Node) -> None:
    """Both VIPs, with gratuitous ARP from the kernel (arp_notify)."""
    for device, address in (("outside", VIP_OUTSIDE), ("inside", VIP_INSIDE)):
        node.put(f"/proc/sys/net/ipv4/conf/{device}/arp_notify", "1")
        node.run("ip", "address", "add", f"{address}/24", "dev", device)


class StockGateway:
    """xl2tpd by hand on one node, without a cluster."""

    def __init__(self, node: Node, extra_ppp_options: Sequence[str] = ()) -> None:
        self._node = node
        self._extra = extra_ppp_options
        self._daemon: Background | None = None

    def configure(self) -> None:
        self._node.put(CONFIG, lns_config(self._node).text())
        self._node.put(OPTIONS, ppp_options(self._extra))
        self._node.put(SECRETS, chap_secrets(), mode=0o600)

    def start(self) -> None:
        """Returns when xl2tpd has opened its control pipe, which it does after its socket."""
        self._node.run("mkdir", "-p", "/run/xl2tpd")
        self._daemon = self._node.start("xl2tpd", "-D", "-c", CONFIG, "-C", CONTROL,
                                        "-p", PID_FILE, stdout=XL2TPD_LOG, stderr=XL2TPD_LOG)

    def listening(self) -> bool:
        return "Listening on IP address" in (self._node.read(XL2TPD_LOG) or "")

    def leftovers(self) -> list[str]:
        """Sessions and tunnels that the node still has."""
        return l2tp_leftovers(self._node)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None


def l2tp_leftovers(node: Node) -> list[str]:
    """What remains of L2TP in a node's kernel and process table; empty when all has ended."""
    return l2tp_devices(node) + [f"process: pppd {pid}" for pid in node.processes("pppd")]


def l2tp_devices(node: Node, netns: str = "") -> list[str]:
    """Tunnels, and devices of PPP sessions, of a network namespace of a node."""
    def lines(*command: str) -> list[str]:
        return node.run(*within(netns), *command).stdout.splitlines()

    return [*(f"tunnel: {line.strip()}" for line in lines("ip", "l2tp", "show", "tunnel")
              if "Tunnel" in line),
            *(f"interface: {name}" for name in lines("ls", "/sys/class/net")
              if name.startswith(("ppp", "vpnha")))]
