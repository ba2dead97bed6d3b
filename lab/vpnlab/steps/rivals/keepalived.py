# SPDX-License-Identifier: GPL-2.0-or-later
"""keepalived and conntrackd on two gateways as their documentation has them: both addresses in one
group, the flows over a link of their own, stock daemons where the addresses are."""
from __future__ import annotations

from collections.abc import Sequence

from ...host.node import Node
from ...host.topology import VIP_INSIDE, VIP_OUTSIDE

CONFIG = "/etc/keepalived/keepalived.conf"
SCRIPT = "/etc/conntrackd/primary-backup.sh"
FLOWS_CONFIG = "/etc/conntrackd/conntrackd.conf"
PID_FILE = "/run/keepalived.pid"
LOG = "/var/log/keepalived.log"
FLOWS_LOG = "/var/log/conntrackd.log"
# A second, keepalived's own. A backup waits for three, and a part of one by its priority.
ADVERT_S = 1
PRIORITIES = (150, 100)


def keepalived_conf(name: str, priority: int) -> str:
    """Whoever has the addresses keeps them when the other node comes back (nopreempt)."""
    instances = "".join(f"""\
vrrp_instance {link} {{
    state BACKUP
    nopreempt
    interface {link}
    virtual_router_id {number}
    priority {priority}
    advert_int {ADVERT_S}
    virtual_ipaddress {{
        {address}/24
    }}
}}
""" for number, (link, address) in enumerate((("outside", VIP_OUTSIDE), ("inside", VIP_INSIDE)),
                                             61))
    return f"""\
global_defs {{
    router_id {name}
    script_user root
}}
vrrp_sync_group gateway {{
    group {{
        outside
        inside
    }}
    notify_master "{SCRIPT} primary"
    notify_backup "{SCRIPT} backup"
    notify_fault "{SCRIPT} fault"
    notify_stop "{SCRIPT} fault"
}}
{instances}"""


def primary_backup(services: Sequence[str]) -> str:
    """conntrackd's own script, and the stock daemons."""
    return f"""\
#!/bin/sh
flows() {{
    /usr/sbin/conntrackd -C {FLOWS_CONFIG} "$1"
}}
services() {{
    for each in {" ".join(services)}; do
        "$each" "$1"
    done
}}
case "$1" in
    primary)
        flows -c
        flows -f
        flows -R
        flows -B
        services start
        ;;
    backup)
        services stop
        flows -t
        flows -n
        ;;
    fault)
        services stop
        flows -t
        ;;
esac
"""


def conntrackd_conf(own: str, other: str, ignored: tuple[str, ...]) -> str:
    """Reliable (FTFW), over a link of the cluster; `ignored`: the node's own addresses."""
    addresses = "\n".join(f"            IPv4_address {address}" for address in ignored)
    return f"""\
Sync {{
    Mode FTFW {{
    }}
    UDP {{
        IPv4_address {own}
        IPv4_Destination_Address {other}
        Port 3780
        Interface cluster0
        SndSocketBuffer 1249280
        RcvSocketBuffer 1249280
        Checksum on
    }}
}}
General {{
    HashSize 32768
    HashLimit 131072
    LogFile off
    LockFile /run/conntrackd.lock
    UNIX {{
        Path /run/conntrackd.ctl
    }}
    NetlinkBufferSize 2097152
    NetlinkBufferSizeMaxGrowth 8388608
    Filter From Userspace {{
        Address Ignore {{
{addresses}
        }}
    }}
}}
"""


class Keepalived:
    """Both daemons on one node of a pair."""

    def __init__(self, node: Node, peer: Node, priority: int) -> None:
        self._node = node
        self._peer = peer
        self._priority = priority

    def start(self, services: Sequence[str]) -> None:
        """`services`: the init scripts of the stock daemons. conntrackd first: the script asks it
        as soon as keepalived has a state."""
        node, link = self._node, "cluster0"
        ignored = ("127.0.0.1", VIP_OUTSIDE, VIP_INSIDE,
                   *(node.address(network) for network in node.spec.networks))
        node.put(CONFIG, keepalived_conf(node.name, self._priority))
        node.put(SCRIPT, primary_backup(services), mode=0o755)
        node.put(FLOWS_CONFIG, conntrackd_conf(node.address(link), self._peer.address(link),
                                               ignored))
        node.start("/usr/sbin/conntrackd", "-C", FLOWS_CONFIG, stdout=FLOWS_LOG, stderr=FLOWS_LOG)

    def ready(self) -> bool:
        """conntrackd answers."""
        return self._node.run("/usr/sbin/conntrackd", "-C", FLOWS_CONFIG, "-s",
                              check=False).code == 0

    def serve(self) -> None:
        self._node.start("/usr/sbin/keepalived", "--dont-fork", "--log-console", "--vrrp",
                         "--use-file", CONFIG, "--pid", PID_FILE, stdout=LOG, stderr=LOG)

    def leave(self) -> None:
        """In good order: it notifies the other node, which serves at once."""
        pid = (self._node.read(PID_FILE) or "").strip()
        self._node.run("kill", "-TERM", pid)
