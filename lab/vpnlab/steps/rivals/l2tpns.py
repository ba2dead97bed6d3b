# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster of l2tpns on two gateways as its manual has it: one member keeps the state, the other
one carries the traffic, and each would do both alone. A router outside and one inside learn by BGP
who takes the address and the pool. It serves plain L2TP."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...host.node import Node
from ...host.topology import L2TP, VIP_OUTSIDE
from ...product.dialler import MakeDialler
from ...product.l2tp_client import L2tpClient
from ...product.probes import SERVER_ADDRESS
from ...product.radius import SECRET, RadiusServer
from ...product.sites import bgp
from ..run import Run

PROGRAM = "/usr/sbin/l2tpns"
CONFIG, POOL_FILE, USERS_FILE = (f"/etc/l2tpns/{name}"
                                 for name in ("startup-config", "ip_pool", "users"))
PID_FILE = "/run/l2tpns.pid"
LOG = "/var/log/l2tpns.out"
POOL = f"{L2TP.net}.128.0/24"
CLIENT, SERVER = "client4", "server"
NODES = ("gw1", "gw2", SERVER, CLIENT)
CLUSTER_AS = 65010
# Of the client, which is its own router, and of the server: their link, and their AS.
ROUTERS = {CLIENT: ("outside", 65000), SERVER: ("inside", 65001)}


def startup_config(name: str, routers: Sequence[tuple[str, int]]) -> str:
    """Of a member. Timers of the cluster are its own: a heartbeat each 0.5 s, and 15 s without one.
    `routers`: address and AS."""
    neighbours = "".join(f"neighbour {address} remote-as {number}\n"
                         for address, number in routers)
    return f"""\
set debug 3
set log_file "/var/log/l2tpns.log"
set pid_file "{PID_FILE}"
set hostname "{name}"
set primary_radius {SERVER_ADDRESS}
set radius_secret "{SECRET}"
set radius_authtypes "chap"
set bind_address {VIP_OUTSIDE}
set peer_address {L2TP.ppp_local}
set cli_bind_address 127.0.0.1
set cluster_interface cluster0
router bgp {CLUSTER_AS}
{neighbours}"""


def router_conf(router: Node, gateways: Sequence[Node]) -> str:
    """l2tpns announces no capability but that of IPv6, and names one next hop to all neighbours,
    which is its first address."""
    link, number = ROUTERS[router.name]
    addresses = [gateway.address(link) for gateway in gateways]
    neighbors = "".join(f"""\
 neighbor {address} remote-as {CLUSTER_AS}
 neighbor {address} timers 3 9
 neighbor {address} timers connect 1
 neighbor {address} dont-capability-negotiate
""" for address in addresses)
    maps = "".join(f"  neighbor {address} route-map direct in\n" for address in addresses)
    return f"""\
router bgp {number}
 bgp router-id {router.address(link)}
 no bgp ebgp-requires-policy
{neighbors} address-family ipv4 unicast
  maximum-paths 1
{maps} exit-address-family
exit
route-map direct permit 10
 set ip next-hop peer-address
"""


class L2tpns:
    """Both members speak for the address: one sends packets of sessions, the other one control
    messages."""

    keeps = False
    one_owner = False
    clients: Mapping[str, MakeDialler] = {CLIENT: L2tpClient}

    def __init__(self, run: Run) -> None:
        self._run = run
        self._nodes = run.lab.gateways
        self._routers = [run.lab.node(name) for name in ROUTERS]

    def up(self) -> None:
        lab = self._run.lab
        RadiusServer(lab, lab.node(SERVER))
        bgp.hide(lab.node(CLIENT), VIP_OUTSIDE)
        for router in self._routers:
            bgp.start(lab, router, router_conf(router, self._nodes))
        routers = [(router.address(ROUTERS[router.name][0]), ROUTERS[router.name][1])
                   for router in self._routers]
        for node in self._nodes:
            node.put(CONFIG, startup_config(node.name, routers), mode=0o600)
            node.put(POOL_FILE, f"{POOL}\n")
            node.put(USERS_FILE, "")
            node.start(PROGRAM, "-c", CONFIG, stdout=LOG, stderr=LOG)

    def serving(self) -> Node | None:
        """By which both routers reach it."""
        client, server = self._routers
        return next((node for node in self._nodes
                     if bgp.learned_from(client, VIP_OUTSIDE) == node.address("outside")
                     and bgp.learned_from(server, POOL) == node.address("inside")), None)

    def settle(self, sessions: int) -> None:
        """The members notify each other of each change at once."""

    def move(self, active: Node) -> None:
        """Its end, by which its neighbours lose their routes at once."""
        active.run("kill", "-TERM", (active.read(PID_FILE) or "").strip())
