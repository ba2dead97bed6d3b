# SPDX-License-Identifier: GPL-2.0-or-later
"""A client's own PPTP session through the gateway's NAT outlives two gateways.

Purpose: PPTP is a TCP connection and a flow of GRE, whose keys (call ids) stand for ports. A GRE
packet carries one of the two keys, and the kernel's helper, which reads both from the TCP
connection, adds the other; NAT gives the client's call another id as well. A kernel that has not
seen the call finds the flow by neither direction's packets, even if it is in its table; nor does
it end what no packet keeps alive there.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with pptpd; the rules of
nftables/gateway.nft on all gateways; the server has no route to the clients.

Steps: client1, in its L2TP session, dials the server by pptp-linux and pings it in that session;
the power of the promoted gateway is cut; it returns and is in sync; the power of its successor is
cut, and it is the first one again that resumes; client1 hangs up the inner session.

Expected: each time the pings in the inner session are answered again, after a silence of at most
2.5 s, with no LCP or IPCP; the control connection has the helper and the port it had; a silence of
at most 2.5 s and nothing else. Once the client has hung up no gateway has GRE that lives longer
than five minutes, neither the one that served nor a standby.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.product.pptp import SERVER_END, PptpClient, PptpServer
from vpnlab.product.probes import Pinger
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import PPTP_MS, expect_only_silence, gap_ms, worst_gap
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.traffic.nat import (Flow, expect_hot, flows, inside_captures, moved, prepare, rejoin,
                                resets_sent)

SCENARIO = Scenario(faults=2, vpnha=True)
PPTP_PORT, GRE = 1723, 47
# A half of a call begins at the client or at the server.
ANY_NET = "0.0.0.0/0"
OBSERVED_S = 3
AFTERWARDS_S = 8
HOT_LIMIT_S = 5
ENDED_S, ENDED_LIMIT_S = 300, 30


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    PptpServer(run.lab, run.lab.node("server"))
    inner = PptpClient(run.lab, live.client.node)
    inner.dial()
    pinger = Pinger(live.client.node, SERVER_END)
    run.step("client1 has a PPTP session to the server")
    run.observe(OBSERVED_S)
    first = live.active
    run.expect("flows", sorted(each.protocol for each in flows_of(first)), equals([6, GRE]))
    control = flows(first, port=PPTP_PORT)
    run.expect("helpers", [each.helper for each in control], equals(["pptp"]))
    expect_hot(run, live, control, HOT_LIMIT_S)
    handshakes = inner.handshakes()
    cut_at = run.lab.now()
    second = live.cut_power(first)
    expect_kept(run, second, control)
    spans = [(cut_at, run.lab.now())]

    rejoin(live, first)
    live.stack.wait_protected(1)
    run.wait_for(f"{first.name} has the call", lambda: moved(flows_of(second), flows_of(first))
                 == [], HOT_LIMIT_S)
    live.stack.avoid({node.name for node in run.lab.gateways} - {first.name, second.name})
    cut_at = run.lab.now()
    last = live.cut_power(second)
    run.expect("last", last.name, equals(first.name))
    expect_kept(run, last, control)

    until = run.lab.now()
    spans.append((cut_at, until))
    answers = pinger.stop()
    run.expect("inner_answers_afterwards", sum(each > until - 2 for each in answers), at_least(40))
    for successor, span in zip((second, last), spans):
        run.expect(f"inner_gap_ms_of_{successor.name}", gap_ms(worst_gap(answers, span)),
                   at_most(PPTP_MS))
    run.expect("inner_handshakes", inner.handshakes() - handshakes, equals(0))
    expect_ended(run, live, inner)

    seen = live.end()
    run.expect("resets_to_the_server", resets_sent(inside_captures(run.lab, run.out), PPTP_PORT),
               equals(0))
    expect_only_silence(run, seen.client("client1"), PPTP_MS)


def flows_of(node: Node) -> list[Flow]:
    """The session's flows on a gateway."""
    return [each for each in flows(node, ANY_NET)
            if each.protocol == GRE or each.original.endswith(f":{PPTP_PORT}")]


def expect_kept(run: Run, successor: Node, control: list[Flow]) -> None:
    run.observe(AFTERWARDS_S)
    after = flows_of(successor)
    run.expect(f"flows_of_{successor.name}", sorted(each.protocol for each in after),
               equals([6, GRE, GRE]))
    kept = [each for each in after if each.protocol != GRE]
    run.expect(f"with_another_port_on_{successor.name}", moved(control, kept), is_empty())
    run.expect(f"helpers_of_{successor.name}", [each.helper for each in kept], equals(["pptp"]))


def expect_ended(run: Run, live: Live, inner: PptpClient) -> None:
    run.step("client1: hangs up the inner session")
    inner.hang_up()
    for node in live.stack.cluster.nodes:
        if node.powered():
            run.wait_for(f"{node.name} has no GRE with more than {ENDED_S} s left",
                         lambda: not any(each.timeout_s > ENDED_S for each in flows_of(node)
                                         if each.protocol == GRE), ENDED_LIMIT_S)
