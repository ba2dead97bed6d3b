# SPDX-License-Identifier: GPL-2.0-or-later
"""FRR of Debian on the gateways and on a router outside, as docs/use/announce.md sets it up: the
gateways announce what is connected in a VRF, and the router learns by which of them a VIP is
reached."""
from __future__ import annotations

import re
from collections.abc import Sequence

from ...host.errors import PackageMissing
from ...host.lab import Lab
from ...host.node import Node

VRF, DEVICE, TABLE = "announce", "announce0", 900
GATEWAYS_AS, ROUTER_AS = 65010, 65000
PROGRAMS = "/usr/lib/frr"
RUN = "/run/frr"
CONFIG = "/etc/frr/lab-bgpd.conf"
# So many packets in a row that are lost, 300 ms apart. docs/use/announce.md has three; nodes of
# the lab share cores, and stand still for longer than machines.
BFD_LOST, BFD_MS = 5, 300
START_LIMIT_S = 10
# Worse than any other route: zebra takes its first octet for the distance.
LAST_RESORT = 255 << 24 | 8192
VIA = re.compile(r"\bvia (\S+)")


def bfd_conf(patience: float) -> str:
    return f"""\
bfd
 profile gateways
  detect-multiplier {int(BFD_LOST * patience)}
  receive-interval {BFD_MS}
  transmit-interval {BFD_MS}
"""


def gateway_conf(node: Node, router: Node) -> str:
    address, peer = node.address("outside"), router.address("outside")
    return f"""\
router bgp {GATEWAYS_AS}
 bgp router-id {address}
 no bgp ebgp-requires-policy
 neighbor {peer} remote-as {ROUTER_AS}
 neighbor {peer} timers 3 9
 neighbor {peer} timers connect 1
 neighbor {peer} bfd profile gateways
 address-family ipv4 unicast
  import vrf {VRF}
 exit-address-family
router bgp {GATEWAYS_AS} vrf {VRF}
 bgp router-id {address}
 address-family ipv4 unicast
  redistribute connected
 exit-address-family
"""


def router_conf(router: Node, gateways: Sequence[Node]) -> str:
    neighbors = "".join(f"""\
 neighbor {address} remote-as {GATEWAYS_AS}
 neighbor {address} timers 3 9
 neighbor {address} bfd profile gateways
""" for address in (node.address("outside") for node in gateways))
    return f"""\
router bgp {ROUTER_AS}
 bgp router-id {router.address("outside")}
 no bgp ebgp-requires-policy
{neighbors} address-family ipv4 unicast
  maximum-paths 1
 exit-address-family
"""


def start_gateway(lab: Lab, node: Node, router: Node) -> None:
    """Also of one that was switched on again. Its device is in the VRF before Pacemaker starts."""
    for command in (f"link add {VRF} type vrf table {TABLE}", f"link set {VRF} up",
                    f"link add {DEVICE} type dummy", f"link set {DEVICE} master {VRF}",
                    f"link set {DEVICE} up"):
        node.run("ip", *command.split())
    start(lab, node, gateway_conf(node, router))


def start_router(lab: Lab, router: Node, vip: str) -> None:
    hide(router, vip)
    start(lab, router, router_conf(router, lab.gateways))


def hide(router: Node, vip: str) -> None:
    """It has no other way to the VIP than what it learns, although the VIP's net is its own."""
    router.run("ip", "route", "add", "blackhole", f"{vip}/32", "metric", str(LAST_RESORT))


def start(lab: Lab, node: Node, bgp: str) -> None:
    """FRR with this configuration of bgpd; returns when routes are taken."""
    if node.run("test", "-x", f"{PROGRAMS}/bgpd", check=False).code:
        raise PackageMissing("frr is not installed: setup/install")
    node.run("install", "-d", "-o", "frr", "-g", "frr", RUN)
    for name, text in (("zebra", ""), ("bfdd", bfd_conf(lab.patience)), ("bgpd", bgp)):
        config = CONFIG.replace("bgpd", name)
        node.put(config, text, mode=0o644)
        node.start(f"{PROGRAMS}/{name}", "-A", "127.0.0.1", "-f", config,
                   stdout=f"/var/log/frr-{name}.log", stderr=f"/var/log/frr-{name}.log")
        # Who finds no zebra tries again 10 s later.
        lab.wait_for(f"zebra of {node.name} takes routes", lambda: node.run(
            "test", "-S", f"{RUN}/zserv.api", check=False).code == 0, START_LIMIT_S)


def learned_from(router: Node, prefix: str) -> str:
    """The address of the gateway by which BGP reaches a VIP, or another prefix; empty: by none."""
    found = VIA.search(router.run("ip", "route", "show", prefix, "proto", "bgp").stdout)
    return found[1] if found else ""


def announced_on(node: Node) -> list[str]:
    """What the node announces."""
    words = node.run("ip", "-4", "-br", "address", "show", "dev", DEVICE).stdout.split()
    return words[2:]
