# SPDX-License-Identifier: GPL-2.0-or-later
"""A UDP flow through NAT that has long been the same outlives the gateway.

Purpose: the kernel reports a UDP flow once, when it has become one, and never the packets that
keep it. A copy of it that has the flow's own timeout is gone on the standbys when they need it.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; the rules of nftables/gateway.nft
on all gateways, on which a UDP stream is forgotten after 10 s; the server has no route to the
clients.

Steps: client1 asks the server by UDP each 6 s, for 40 s, and is answered; then it asks no more and
the power of the promoted gateway is cut. When another one serves, the server speaks first.

Expected: what the server sends reaches client1, by the port that NAT gave the flow before; a
silence of at most 1 s and nothing else.
"""
import signal

from vpnlab.evidence.expectation import at_least, equals, is_empty, is_true
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import (NETFILTER, Tool, datagrams, expect_hot, flows, inside_captures,
                                moved, prepare, sources_seen)

SCENARIO = Scenario(faults=1, vpnha=True)
UDP_PORT, PORT = 9000, 40000
FLOW_TIMEOUT_S = 10
INTERVAL_S = 6
REFRESHED_S = 40
HOT_LIMIT_S = 5
RECEIVED_LIMIT_S = 5


def steps(run: Run) -> None:
    prepare(run.lab)
    for node in run.lab.gateways:
        node.put(f"{NETFILTER}/nf_conntrack_udp_timeout_stream", str(FLOW_TIMEOUT_S))
    live = begin(run, observe_s=0)
    server = Tool(run.lab, run.lab.node("server"), "datagrams.py", "serve", str(UDP_PORT), "0",
                  result="udp-server", word="listening")
    client = Tool(run.lab, live.client.node, "datagrams.py", "ask", SERVER_ADDRESS, str(UDP_PORT),
                  str(PORT), str(INTERVAL_S), result="udp-client")
    run.step(f"client1 asks each {INTERVAL_S} s; a flow lives {FLOW_TIMEOUT_S} s without a packet")
    run.observe(REFRESHED_S)
    asked = [each for each in datagrams(client.log()) if each.kind == "r"]
    run.expect("answers_before_the_failover", len(asked), at_least(REFRESHED_S // INTERVAL_S))
    before = flows(live.active, port=UDP_PORT)
    run.expect("flows", len(before), equals(1))
    expect_hot(run, live, before, HOT_LIMIT_S)
    client.process.send_signal(signal.SIGUSR1)
    cut_at = run.lab.now()
    successor = live.cut_power(live.active)
    run.step("the server speaks first")
    server.process.send_signal(signal.SIGUSR1)

    def received() -> bool:
        return any(each.text == "server-first" and each.kind == "r"
                   for each in datagrams(client.log()))
    run.wait_for("the server has spoken", lambda: "server-first" in server.log(), RECEIVED_LIMIT_S)
    run.observe(1)
    run.expect("client_received_from_the_server", received(), is_true())
    run.expect("asked_meanwhile", [each.text for each in datagrams(client.log())
                                   if each.kind == "s" and each.t > cut_at], is_empty())
    run.expect("flows_with_another_port", moved(before, flows(successor, port=UDP_PORT)),
               is_empty())

    seen = live.end()
    run.expect("sources_of_the_flow",
               len(sources_seen(inside_captures(run.lab, run.out), UDP_PORT)), equals(1))
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)
