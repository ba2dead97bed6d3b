# SPDX-License-Identifier: GPL-2.0-or-later
"""What pppd and its scripts do outside of PPP, as it shows on nodes and to the server."""
from __future__ import annotations

import re

from ...evidence.expectation import equals, is_empty, is_true
from ...evidence.measure import Measured
from ...host.node import CommandFailed, Node
from ...host.topology import L2TP
from ..live import Live
from ..run import Run

FULL = 1500
HEADERS = 28  # IPv4 and ICMP.
REPORTED_MTU = re.compile(r"\(mtu ?= ?(\d+)\)|mtu=(\d+)")
# Of pppd on the gateways; `noproxyarp` among its options would forbid `proxyarp`.
MTU = 1280
OPTIONS = (f"mtu {MTU}", "lcp-echo-interval 3", "lcp-echo-failure 2", "lcp-echo-adaptive")
# By then a client without adaptive echoes has been ended.
STOPPED_S = 15
LIMIT_S = 15
# No pool of a node has it.
HOST_OF = f"{L2TP.net}.250"


def share_net(node: Node) -> None:
    """From now on the clients' addresses lie in a net of the node's inside device, and no router
    is between it and them."""
    node.run("ip", "route", "delete", L2TP.addresses, check=False)
    # pppd asks for the mask of a device, and gets the first one.
    node.run("ip", "address", "flush", "dev", "inside")
    for address in (f"{HOST_OF}.{node.spec.id}/16", f"{node.address('inside')}/24"):
        node.run("ip", "address", "add", address, "dev", "inside")


def proxied(node: Node) -> list[str]:
    """For which addresses the node answers ARP on which device: "10.200.1.10 inside"."""
    lines = node.run("ip", "neigh", "show", "proxy").stdout.splitlines()
    return sorted(f"{words[0]} {words[2]}" for words in map(str.split, lines) if len(words) > 2)


def answers_arp_for(server: Node, gateway: Node, address: str) -> bool:
    """Whether the server takes the gateway's device for the address's."""
    mac = (gateway.read("/sys/class/net/inside/address") or "?").strip()
    return mac in server.run("ip", "neigh", "show", address).stdout


def ping(server: Node, address: str, size: int) -> str:
    """The output of ping for three packets of that size that must not be fragmented."""
    return server.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do",
                      "-s", str(size - HEADERS), address, check=False).stdout


def reported_mtu(server: Node, address: str) -> int:
    """0: there is no ICMP error."""
    found = REPORTED_MTU.search(ping(server, address, FULL))
    return int(found[1] or found[2]) if found else 0


def answers(server: Node, address: str) -> bool:
    """Whether the address answers a ping of the server, by the address that clients know."""
    return server.run("ping", "-n", "-c", "1", "-W", "1", "-I", server.address("inside"), address,
                      check=False).code == 0


def mtu_of_session(node: Node, address: str) -> int:
    """Of the device by which the node reaches the client; 0: there is none."""
    route = node.run("ip", "route", "get", address, check=False).stdout
    device = re.search(r"\bdev (\S+)", route)
    try:
        return int(node.read(f"/sys/class/net/{device[1]}/mtu") or 0) if device else 0
    except CommandFailed:
        return 0


def answer_arp(node: Node, options: str) -> None:
    """pppd's options file of that name has `proxyarp`."""
    node.put(options, (node.read(options) or "").replace("noproxyarp\n", "proxyarp\n"))


def expect_carried_on(run: Run, live: Live) -> Measured:
    """The power of the promoted node is cut, and its successor does for client1 what pppd did: the
    MTU, proxy ARP, adaptive echoes. client1 hangs up, and nothing is left."""
    stack, server, active = live.stack, run.lab.node("server"), live.active
    address = live.client.dialled()[-1].local
    mtu = mtu_of_session(active, address)
    run.expect("mtu", MTU - 4 <= mtu <= MTU, is_true())
    run.expect("reported_mtu", reported_mtu(server, address), equals(mtu))
    run.expect("proxied_by_pppd", proxied(active), equals([f"{address} inside"]))
    run.expect("proxied_on_standbys", [proxied(node) for node in live.standbys], equals([[], []]))

    run.step(f"power cut of {active.name}, which is promoted")
    active.power_off()
    successor = stack.wait_promoted(among=[node.name for node in live.standbys])
    run.wait_for("the server reaches client1", lambda: answers(server, address), LIMIT_S)
    run.expect("arp_by_the_successor", answers_arp_for(server, successor, address), is_true())
    server.run("ip", "route", "flush", "cache")
    run.expect("mtu_of_the_successor", mtu_of_session(successor, address), equals(mtu))
    run.expect("reported_mtu_after_the_failover", reported_mtu(server, address), equals(mtu))
    run.expect("proxied_by_the_successor", proxied(successor), equals([f"{address} inside"]))

    pppd = live.client.node.processes("pppd")
    live.client.node.run("kill", "-STOP", *pppd)
    run.step(f"pppd of client1 is stopped for {STOPPED_S} s; its kernel carries data")
    run.observe(STOPPED_S)
    live.client.node.run("kill", "-CONT", *pppd)
    run.expect("echoes_end_nothing", [each["state"] for each in stack.sessions(successor)],
               equals(["resumed"]))
    seen = live.end()
    run.expect("proxied_at_the_end", [entry for node in run.lab.gateways if node.powered()
                                      for entry in proxied(node)], is_empty())
    return seen
