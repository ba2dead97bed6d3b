# SPDX-License-Identifier: GPL-2.0-or-later
"""A session of PPP with IPv6CP and networks behind its client, over a power cut and a move."""
from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable

from ...evidence.expectation import equals
from ...evidence.measure import Measured
from ...host.node import Node
from ...host.topology import L2TP
from ...product.cluster import Cluster
from ...product.l2tp_client import IPV6_UP_LOG
from ...product.vpnha_stack import VpnhaStack
from ..live import Live, begin
from ..promise import Span
from ..run import Run
from . import ipv6

PREFIX = "2001:db8:200:51::/64"
CLIENT_ADDRESS = "2001:db8:200:51::1"
# Outside of the pools.
NETWORK, BEHIND = "10.99.51.0/24", "10.99.51.1"
OPTION = "+ipv6"
MOVED_MS = 500
# The plugin looks for routes 5 s after ip-up.
KNOWN_LIMIT_S = 20
OBSERVED_S = 4


def keep_over_power_cut_and_move(run: Run, dialler: Callable, device: str, resumed: str,
                                 cut_ms: float, pptp: bool = False) -> tuple[Live, Measured, Span]:
    """client1 dials with `dialler`, by a tunnel interface `device`; on a gateway that has resumed
    its session the device's name begins with `resumed`. Silent for `cut_ms` at most. All has hung
    up in the end. Returns the time from the cut until after the move as well."""
    server6 = ipv6.prepare(run)
    for node in run.lab.gateways:
        put_scripts(node)
    server, client = run.lab.node("server"), run.lab.node("client1")
    server.run("ip", "route", "add", NETWORK, "via", L2TP.vip_inside)
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ipv6=True, pptp=pptp, ppp=[OPTION]))
    stack = live.stack
    client.put("/etc/ppp/ipv6-up", f"""\
#!/bin/sh
ip -6 address add {CLIENT_ADDRESS}/64 dev "$1"
ip -6 route add {ipv6.INSIDE} dev "$1"
echo "$4 $5" >>{IPV6_UP_LOG}
""", mode=0o755)
    client.run("ip", "address", "add", f"{BEHIND}/32", "dev", "lo")
    live.dial("client1", dialler=functools.partial(dialler, ppp=[OPTION]))
    run.wait_for("IPv6CP is up", lambda: client.read(IPV6_UP_LOG), ipv6.FLOWS_LIMIT_S)
    # pppd writes leading zeros.
    ours, theirs = (str(ipaddress.ip_address(word))
                    for word in (client.read(IPV6_UP_LOG) or "").split())
    for standby in live.standbys:
        run.wait_for(f"{standby.name} has the client's networks",
                     lambda: routes(standby) == sorted((PREFIX, NETWORK)), KNOWN_LIMIT_S)
    stack.wait_protected(1)
    traffic = ipv6.Traffic(run, client, server6, behind=(server, BEHIND))
    run.expect("peer_answers", peer_answers(client, theirs, device), equals(3))
    run.observe(OBSERVED_S)

    begun = run.lab.now()
    first = live.active
    second = live.cut_power(first)
    run.observe(OBSERVED_S)
    cut = (begun, run.lab.now())
    run.expect("peer_answers_after_the_cut", peer_answers(client, theirs, device), equals(3))
    run.expect("link_local", link_local(second, resumed), equals([[theirs, ours]]))
    stack.rejoin(first.name)
    ipv6.prepare_gateway(first)
    put_scripts(first)
    stack.wait_protected(1)

    begun = run.lab.now()
    third = stack.move_role(lambda name: name not in (first.name, second.name))
    run.observe(OBSERVED_S)
    moved = (begun, run.lab.now())
    run.expect("peer_answers_after_the_move", peer_answers(client, theirs, device), equals(3))
    run.expect("link_local_again", link_local(third, resumed), equals([[theirs, ours]]))
    traffic.expect_kept(("cut", cut, cut_ms), ("moved", moved, MOVED_MS))
    seen = live.end()
    run.expect("ipv6cp_negotiations", len((client.read(IPV6_UP_LOG) or "").splitlines()),
               equals(1))
    return live, seen, (cut[0], moved[1])


def put_scripts(gateway: Node) -> None:
    """Its pppds' scripts route the networks to the client."""
    for script, command in (("ipv6-up", f"ip -6 route add {PREFIX}"),
                            ("ip-up", f"ip route add {NETWORK}")):
        gateway.put(f"/etc/ppp/{script}", f"#!/bin/sh\n{command} dev \"$1\"\n", mode=0o755)


def routes(node: Node) -> list[str]:
    """The client's networks on a node that did not negotiate with it."""
    table = str(1000 + L2TP.id)
    lines = [line for family in ("-4", "-6") for line in node.run(
        "ip", family, "route", "show", "table", table, check=False).stdout.splitlines()]
    return sorted(line.split()[0] for line in lines if line.split()[0] in (PREFIX, NETWORK))


def peer_answers(client: Node, peer: str, device: str) -> int:
    """Of three pings to the gateway's end of the link."""
    done = client.run("ping", "-c", "3", "-i", "0.2", "-W", "2", f"{peer}%{device}", check=False)
    return done.stdout.count("bytes from")


def link_local(node: Node, resumed: str) -> list[list[str]]:
    """Of the resumed session: the gateway's address, the client's."""
    lines = node.run("ip", "-6", "-o", "address", "show", "scope", "link").stdout.splitlines()
    return [[words[3], words[5].partition("/")[0]] for words in map(str.split, lines)
            if words[1].startswith(resumed)]
