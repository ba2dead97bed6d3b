# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 in a session of L2TP, and the networks behind its client, outlive the power cut.

Purpose: a client with IPv6CP has both families at the next node: its link-local address and that of
the gateway, and what the gateway's scripts have routed to it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; all with IPv6. The pppds of both
ends negotiate IPv6CP. The gateways' ipv6-up routes a prefix of IPv6 to the client, their ip-up a
network of IPv4.

Steps: client1 dials; besides its traffic it pings the server by IPv6, and the server pings an
address of the network behind it. The power of the promoted gateway is cut; later the role moves to
a third node.

Expected: after the power cut both pings go on within 1 s, after the move within 500 ms; the
client's peer has the same link-local address on each node, and answers there. The session is the
same, by the promises of all power cuts.
"""
import functools
import ipaddress

from vpnlab.evidence.expectation import at_least, at_most, equals
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import INTERFACE, IPV6_UP_LOG, L2tpClient
from vpnlab.product.probes import Pinger
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, gap_ms, worst_gap
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
PREFIX = "2001:db8:200:51::/64"
CLIENT_ADDRESS = "2001:db8:200:51::1"
INSIDE = "2001:db8:2::/64"
NETWORK, BEHIND = "10.99.51.0/24", "10.99.51.1"
MOVED_MS = 500
# The plugin looks for routes 5 s after ip-up.
KNOWN_LIMIT_S = 20
FLOWS_LIMIT_S = 10
OBSERVED_S = 4


def steps(run: Run) -> None:
    server = run.lab.node("server")
    server6 = server.spec.address6("inside")
    for node in run.lab.gateways:
        prepare_gateway(node)
    connect(server, "inside")
    server.run("ip", "-6", "route", "add", L2TP.net6, "via", L2TP.vip6_inside)
    server.run("ip", "route", "add", NETWORK, "via", L2TP.vip_inside)
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ipv6=True, ppp=["+ipv6"]))
    stack = live.stack
    node = run.lab.node("client1")
    node.put("/etc/ppp/ipv6-up", f"""\
#!/bin/sh
ip -6 address add {CLIENT_ADDRESS}/64 dev "$1"
ip -6 route add {INSIDE} dev "$1"
echo "$4 $5" >>{IPV6_UP_LOG}
""", mode=0o755)
    node.run("ip", "address", "add", f"{BEHIND}/32", "dev", "lo")
    live.dial("client1", dialler=functools.partial(L2tpClient, ppp=["+ipv6"]))
    run.wait_for("IPv6CP is up", lambda: node.read(IPV6_UP_LOG), FLOWS_LIMIT_S)
    # pppd writes leading zeros.
    ours, theirs = (str(ipaddress.ip_address(word))
                    for word in (node.read(IPV6_UP_LOG) or "").split())
    for standby in live.standbys:
        run.wait_for(f"{standby.name} has the client's networks",
                     lambda standby=standby: routes(standby) == sorted((PREFIX, NETWORK)),
                     KNOWN_LIMIT_S)
    stack.wait_protected(1)
    pingers = {"ipv6": Pinger(node, server6), "behind": Pinger(server, BEHIND)}
    for name, pinger in pingers.items():
        run.wait_for(f"pings of {name} are answered", pinger.answers, FLOWS_LIMIT_S)
    run.expect("peer_answers", peer_answers(node, theirs), equals(3))
    run.observe(OBSERVED_S)

    begun = run.lab.now()
    first = live.active
    second = live.cut_power(first)
    run.observe(OBSERVED_S)
    cut = (begun, run.lab.now())
    run.expect("peer_answers_after_the_cut", peer_answers(node, theirs), equals(3))
    run.expect("link_local", link_local(second), equals([[theirs, ours]]))
    stack.rejoin(first.name)
    prepare_gateway(first)
    stack.wait_protected(1)

    begun = run.lab.now()
    third = stack.move_role(lambda name: name not in (first.name, second.name))
    run.observe(OBSERVED_S)
    moved = (begun, run.lab.now())
    run.expect("peer_answers_after_the_move", peer_answers(node, theirs), equals(3))
    run.expect("link_local_again", link_local(third), equals([[theirs, ours]]))
    answers = {name: pinger.stop() for name, pinger in pingers.items()}
    seen = live.end()
    for name, times in answers.items():
        for what, span, limit in (("cut", cut, TAKEOVER_MS), ("moved", moved, MOVED_MS)):
            run.expect(f"{name}_{what}_ms", gap_ms(worst_gap(times, span)), at_most(limit))
            run.expect(f"{name}_{what}_answers",
                       sum(span[1] - 1 < t <= span[1] for t in times), at_least(20))
    run.expect("ipv6cp_negotiations", len((node.read(IPV6_UP_LOG) or "").splitlines()), equals(1))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def connect(node: Node, device: str) -> None:
    node.run("ip", "address", "add", f"{node.spec.address6(device)}/64", "dev", device, "nodad")


def prepare_gateway(node: Node) -> None:
    for device in ("outside", "inside"):
        connect(node, device)
    node.put("/proc/sys/net/ipv6/conf/all/forwarding", "1")
    for script, command in (("ipv6-up", f"ip -6 route add {PREFIX}"),
                            ("ip-up", f"ip route add {NETWORK}")):
        node.put(f"/etc/ppp/{script}", f"#!/bin/sh\n{command} dev \"$1\"\n", mode=0o755)


def routes(node: Node) -> list[str]:
    """The client's networks on a node that did not negotiate with it."""
    table = str(1000 + L2TP.id)
    lines = [line for family in ("-4", "-6") for line in node.run(
        "ip", family, "route", "show", "table", table, check=False).stdout.splitlines()]
    return sorted(line.split()[0] for line in lines if line.split()[0] in (PREFIX, NETWORK))


def peer_answers(node: Node, peer: str) -> int:
    """Of three pings to the gateway's end of the link."""
    done = node.run("ping", "-c", "3", "-i", "0.2", "-W", "2", f"{peer}%{INTERFACE}", check=False)
    return done.stdout.count("bytes from")


def link_local(node: Node) -> list[list[str]]:
    """Of the resumed session: the gateway's address, the client's."""
    lines = node.run("ip", "-6", "-o", "address", "show", "scope", "link").stdout.splitlines()
    return [[words[3], words[5].partition("/")[0]] for words in map(str.split, lines)
            if words[1].startswith("vpnha")]
