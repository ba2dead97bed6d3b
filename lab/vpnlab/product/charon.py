# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock strongSwan on a node: charon-systemd, started directly, and what swanctl does with it."""
from __future__ import annotations

import re

from ..host.node import Node, within

PROGRAM = "/usr/sbin/charon-systemd"
# Read after Debian's own files, so it wins.
SETTINGS = "/etc/strongswan.d/zz-lab.conf"
CONNECTIONS = "/etc/swanctl/swanctl.conf"
LOG = "charon.log"
CONSOLE = "/var/log/charon.console"
INITIATE_LIMIT_S = 15
# Exchanges of IKEv2 within an SA, and the one of IKEv1 that makes a CHILD SA.
CREATE_CHILD_SA, INFORMATIONAL = 36, 37
QUICK_MODE = 32
LOST = "ike_lost"
VIRTUAL_IP = re.compile(r"installing new virtual IP (\S+)")
CHILD_SA = re.compile(r"CHILD_SA (\S+) established")
IKE_REKEYED = re.compile(r"IKE_SA \S+ rekeyed between")
STARTED = "worker threads"
# What becomes of an address of a pool of the ha plugin.
POOLED = re.compile(r"(acquired|reserved|released) address (\S+) (?:from|in|to) HA pool")

_LOGGING = f"""\
charon-systemd {{
    filelog {{
        lab {{
            path = /var/log/{LOG}
            time_format = %Y-%m-%dT%H:%M:%S
            time_add_ms = yes
            flush_line = yes
            default = 1
        }}
    }}
}}
"""


def configure(node: Node, connections: str, settings: str, file: str = CONNECTIONS) -> None:
    """`connections` is in the format of swanctl.conf, `settings` in that of strongswan.conf. Each
    `file` of a node, for a charon of its own, has settings of its own; all charons read all."""
    node.put(SETTINGS if file == CONNECTIONS else f"{SETTINGS}.{file.rpartition('/')[2]}",
             _LOGGING + settings)
    node.put(file, connections, mode=0o600)


class Charon:
    """One that the lab starts itself."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self) -> None:
        """It knows no connections before load()."""
        self._node.start(PROGRAM, stdout=CONSOLE, stderr=CONSOLE)

    def ready(self) -> bool:
        return STARTED in self.log()

    def load(self) -> None:
        self._node.run("swanctl", "--load-all", "--noprompt")

    def initiate(self, child: str) -> None:
        """Returns when the CHILD_SA is there."""
        self._node.run("swanctl", "--initiate", "--child", child,
                       "--timeout", str(round(INITIATE_LIMIT_S * self._node.patience)))

    def terminate(self, connection: str) -> None:
        """Returns when the peer has acknowledged that the IKE SA is deleted, or does not answer."""
        self._node.run("swanctl", "--terminate", "--ike", connection, "--timeout", "5", check=False)

    def terminate_child(self, child: str) -> None:
        """The same of the CHILD SA alone."""
        self._node.run("swanctl", "--terminate", "--child", child, "--timeout", "5", check=False)

    def rekey(self, child: str) -> None:
        """Begins it; returns at once."""
        self._node.run("swanctl", "--rekey", "--child", child)

    def rekey_ike(self, connection: str) -> None:
        """The same of the IKE SA."""
        self._node.run("swanctl", "--rekey", "--ike", connection)

    def log(self) -> str:
        return self._node.read_log(LOG)

    def child_sas_made(self) -> int:
        return len(set(CHILD_SA.findall(self.log())))

    def ike_rekeys(self) -> int:
        return len(IKE_REKEYED.findall(self.log()))

    def reserved(self) -> set[str]:
        """The addresses of its pools that it gives to nobody, since its last start."""
        addresses = set()
        for what, address in POOLED.findall(self.log().rpartition(STARTED)[2]):
            if what == "released":
                addresses.discard(address)
            else:
                addresses.add(address)
        return addresses

    def virtual_ips(self) -> list[str]:
        """What it was given, each time that it was given one."""
        return VIRTUAL_IP.findall(self.log())


def lose_ike(node: Node, exchange: int, sent: bool = False) -> None:
    """What comes to the node of that exchange of IKE is lost; or what it sends of it."""
    hook, port = ("output", "dport") if sent else ("input", "sport")
    # The kind of the exchange is octet 18 of IKE, behind the 8 of UDP; at port 4500 also behind 4
    # octets of zero, which ESP does not have there (RFC 3948 2.2).
    node.run("nft", "-f", "-", stdin=(
        f"add table inet {LOST}\n"
        f"add counter inet {LOST} lost\n"
        f"add chain inet {LOST} lose {{ type filter hook {hook} priority 0; }}\n"
        f"add rule inet {LOST} lose udp {port} 500 @th,208,8 {exchange} counter name lost drop\n"
        f"add rule inet {LOST} lose udp {port} 4500 @th,64,32 0 @th,240,8 {exchange} "
        "counter name lost drop\n"))


def lose_no_ike(node: Node) -> None:
    node.run("nft", "delete", "table", "inet", LOST)


def lose_esp(node: Node) -> None:
    """Its kernel has no ESP SA any more; charon does not notice."""
    node.run("ip", "xfrm", "state", "flush")


def sas(node: Node, netns: str = "") -> list[str]:
    """The ESP SAs of a network namespace of a node, both directions, by their addresses."""
    lines = node.run(*within(netns), "ip", "xfrm", "state").stdout.splitlines()
    return [f"ESP SA: {line.strip()}" for line in lines if line.startswith("src ")]
