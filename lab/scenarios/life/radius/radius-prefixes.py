# SPDX-License-Identifier: GPL-2.0-or-later
"""Prefixes of IPv6 that a RADIUS server gives a client lead to it, on whichever node it lives.

Purpose: a client with a network of IPv6 keeps it over a power cut, and no script has to route it.
The accounting server receives the prefixes.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS; all with IPv6.
The pppds of both ends negotiate IPv6CP. radius.so authenticates, vpnhad accounts.

Steps: client1 dials by L2TP. The Access-Accept has a Framed-IPv6-Prefix and a
Delegated-IPv6-Prefix. client1 has an address of each. The server pings both. The power of the
promoted gateway is cut; the server pings again. client1 hangs up.

Expected: each ping is answered, before the cut and after it. Each standby has both routes before
it serves. Start, Interims and Stop have both prefixes; the Stop has the client's interface
identifier. As in l2tp-power-cut for client1.
"""
import functools

from vpnlab.evidence.expectation import equals
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.l2tp_client import IPV6_UP_LOG, L2tpClient
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.radius import user
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.accounts import NOTICE_LIMIT_S, begin_server
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions import ipv6
from vpnlab.steps.sessions.ipv6cp import KNOWN_LIMIT_S, OPTION

SCENARIO = Scenario(faults=1, vpnha=True)
LINK, BEHIND = "2001:db8:200:51::/64", "2001:db8:200:5100::/56"
ADDRESSES = ("2001:db8:200:51::1", "2001:db8:200:51ff::1")
ACCEPT = f"Framed-IPv6-Prefix = {LINK}, Delegated-IPv6-Prefix = {BEHIND}"
# Beyond one of the stack's interims.
OBSERVED_S = 12


def steps(run: Run) -> None:
    ipv6.prepare(run)
    radius = begin_server(run, user(USER, ACCEPT))
    live = begin(run, clients=(), observe_s=0,
                 stack=RadiusStack(run.lab, ppp=[OPTION], ipv6=True))
    client, server = run.lab.node("client1"), run.lab.node("server")
    client.put("/etc/ppp/ipv6-up", f"#!/bin/sh\nip -6 route add {ipv6.INSIDE} dev \"$1\"\n"
               f"echo \"$4 $5\" >>{IPV6_UP_LOG}\n", mode=0o755)
    for address in ADDRESSES:
        client.run("ip", "address", "add", f"{address}/128", "dev", "lo")
    live.dial("client1", dialler=functools.partial(L2tpClient, ppp=[OPTION]))
    for standby in live.standbys:
        run.wait_for(f"{standby.name} has the routes",
                     lambda: routes(standby) == sorted((LINK, BEHIND)), KNOWN_LIMIT_S)
    live.stack.wait_protected(1)
    run.expect("answers", answers(server), equals([3, 3]))
    live.cut_power(live.active)
    run.expect("answers_after_the_cut", answers(server), equals([3, 3]))
    run.observe(OBSERVED_S)
    live.hang_up()
    run.wait_for("the server was notified of the end",
                 lambda: any(each.kind == "Stop" for each in radius.reports()), NOTICE_LIMIT_S)
    reports = radius.reports()
    run.expect("kinds", sorted({each.kind for each in reports}),
               equals(["Interim-Update", "Start", "Stop"]))
    run.expect("prefixes", sorted({(each.fields.get("Framed-IPv6-Prefix"),
                                    each.fields.get("Delegated-IPv6-Prefix")) for each in reports}),
               equals([(LINK, BEHIND)]))
    run.expect("has_identifier", "Framed-Interface-Id" in reports[-1].fields, equals(True))
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    expect_only_silence(run, live.measure().client("client1"), TAKEOVER_MS)


def routes(node: Node) -> list[str]:
    """To the client's prefixes, on a node that did not negotiate with it."""
    lines = node.run("ip", "-6", "route", "show", "table", str(1000 + L2TP.id),
                     check=False).stdout.splitlines()
    return sorted(line.split()[0] for line in lines if line.split()[0] in (LINK, BEHIND))


def answers(server: Node) -> list[int]:
    """Of three pings each to the client's addresses."""
    return [server.run("ping", "-c", "3", "-i", "0.2", "-W", "2", address,
                       check=False).stdout.count("bytes from") for address in ADDRESSES]
