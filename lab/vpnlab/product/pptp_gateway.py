# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock pptpd and pppd as a PPTP server on a gateway node: configuration, start, leftovers.

The texts are pure, so that the cluster's resources can use them with files of their own.
"""
from __future__ import annotations

from collections.abc import Sequence

from ..host.node import Background, Node
from ..host.topology import L2TP, VpnGateway
from .l2tp_gateway import SECRETS, SERVER_NAME, chap_secrets

CONFIG = "/etc/pptpd.conf"
OPTIONS = "/etc/ppp/pptpd-options"
PID_FILE = "/run/pptpd.pid"
PPTPD_LOG = "/var/log/pptpd.log"
PPPD_LOG = "/var/log/pppd.log"
PPTPD_COMMAND = f"/usr/sbin/pptpd -c {CONFIG} -p {PID_FILE}"
# Port 1723 in state listen, in /proc/net/tcp.
LISTENS = ":06BB 00000000:0000 0A"
# No compression but MPPE, which has 128 bits and no state.
SERVER_OPTIONS = ("auth", "refuse-pap", "refuse-chap", "refuse-mschap", "require-mschap-v2",
                  "nobsdcomp", "nodeflate", "novj", "novjccomp", "noipv6", "nodefaultroute",
                  "noproxyarp", "mtu 1400", "mru 1400", "lcp-echo-interval 30",
                  "lcp-echo-failure 4", "debug")
MPPE, NO_MPPE = "require-mppe-128", "nomppe"
# pptpd's own limit of calls is 100.
CALLS = 250


def pptpd_conf(node: Node, gateway: VpnGateway = L2TP, options: str = OPTIONS) -> str:
    """A gateway's server on one node: its own addresses for clients, the VIP of all."""
    first, last = gateway.pool(node.spec)
    return f"""\
option {options}
connections {CALLS}
listen {gateway.vip_outside}
localip {gateway.ppp_local}
remoteip {first}-{last.rpartition(".")[2]}
"""


def pptpd_options(extra: Sequence[str] = (), mppe: bool = True) -> str:
    return "\n".join((f"name {SERVER_NAME}", *SERVER_OPTIONS, MPPE if mppe else NO_MPPE,
                      f"logfile {PPPD_LOG}", *extra)) + "\n"


def listens(node: Node) -> bool:
    return LISTENS in (node.read("/proc/net/tcp") or "")


class StockPptpd:
    """pptpd by hand on one node, without a cluster."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._daemon: Background | None = None

    def configure(self) -> None:
        self._node.put(CONFIG, pptpd_conf(self._node))
        self._node.put(OPTIONS, pptpd_options())
        self._node.put(SECRETS, chap_secrets(), mode=0o600)

    def start(self) -> None:
        self._daemon = self._node.start("/usr/sbin/pptpd", "-f", "-c", CONFIG, stdout=PPTPD_LOG,
                                        stderr=PPTPD_LOG)

    def listening(self) -> bool:
        return listens(self._node)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None


def pptp_leftovers(node: Node) -> list[str]:
    """What remains of PPTP sessions in a node's kernel and process table. A device of vpnhad's
    without an address waits for the next call."""
    interfaces = [name for name in node.run("ls", "/sys/class/net").stdout.split()
                  if name.startswith("ppp")]
    interfaces += [words[1] for line in node.run("ip", "-o", "-4", "address").stdout.splitlines()
                   if (words := line.split())[1].startswith("vpnp-")]
    processes = [f"{name} {pid}" for name in ("pppd", "pptp", "pptpctrl")
                 for pid in node.processes(name)]
    return ([f"interface: {name}" for name in interfaces]
            + [f"process: {process}" for process in processes])
