# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever answers too much through NAT and a resumed tunnel gets an error, as before the failover.

Purpose: path MTU discovery of servers that know no client: the gateway's ICMP "fragmentation
needed" is about a packet to the VIP, which NAT has translated, and the template's rules are there.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways; the server has no route to the clients.

Steps: client1 asks the server by UDP, and is answered with 1 500 octets that must not be fragmented
until the server is sent what passes; the power of the promoted gateway is cut; the same again, by
a server that has forgotten it.

Expected: both times the server is sent the same MTU for the VIP, and answers arrive; a silence of
at most 1 s and nothing else.
"""
import re

from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import L2TP
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import Tool, datagrams, prepare

SCENARIO = Scenario(faults=1, vpnha=True)
UDP_PORT, PORT = 9000, 40000
FULL = 1472  # With the headers of IPv4 and UDP 1 500.
INTERVAL_S = 0.2
NOTICE_LIMIT_S = 5


def reported_mtu(server: Node) -> int:
    """What the server has received for the VIP; 0: nothing."""
    found = re.search(r"\bmtu (\d+)", server.run("ip", "route", "get", L2TP.vip_inside).stdout)
    return int(found[1]) if found else 0


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run, observe_s=0)
    server = run.lab.node("server")
    Tool(run.lab, server, "datagrams.py", "serve", str(UDP_PORT), str(FULL), result="udp-server",
         word="listening")
    client = Tool(run.lab, live.client.node, "datagrams.py", "ask", SERVER_ADDRESS, str(UDP_PORT),
                  str(PORT), str(INTERVAL_S), result="udp-client")

    def answered_since(begin_s: float) -> bool:
        return any(each.kind == "r" and each.t > begin_s and len(each.text) == FULL
                   for each in datagrams(client.log()))

    def expect_reported(when: str) -> int:
        run.wait_for(f"the server is sent an MTU, {when}", lambda: reported_mtu(server) > 0,
                     NOTICE_LIMIT_S)
        reported_at = run.lab.now()
        run.wait_for(f"an answer arrives, {when}", lambda: answered_since(reported_at),
                     NOTICE_LIMIT_S)
        run.expect(f"answered_{when}", answered_since(reported_at), is_true())
        return reported_mtu(server)

    before = expect_reported("before")
    run.expect("reported_mtu", before, at_least(1000))
    live.cut_power(live.active)
    live.stack.wait_protected(1)
    server.run("ip", "route", "flush", "cache")
    run.expect("reported_mtu_after_the_failover", expect_reported("after"), equals(before))
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
