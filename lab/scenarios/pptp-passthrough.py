# SPDX-License-Identifier: GPL-2.0-or-later
"""A client's own PPTP session through the gateway's NAT outlives the gateway.

Purpose: PPTP is a TCP connection and a flow of GRE, whose keys (call ids) stand for ports. A GRE
packet carries one of the two keys, and the kernel's helper, which reads both from the TCP
connection, adds the other; NAT gives the client's call another id as well. A kernel that has not
seen the call finds the flow by neither direction's packets, even if it is in its table.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with pptpd; the rules of
nftables/gateway.nft on all gateways; the server has no route to the clients.

Steps: client1, in its L2TP session, dials the server by pptp-linux and pings it in that session;
the power of the promoted gateway is cut.

Expected: the pings in the inner session are answered again, after a silence of at most 2.5 s, with
no LCP or IPCP; the control connection has the helper and the port it had; a silence of at most
2.5 s and nothing else.
"""
from vpnlab.expectation import at_least, at_most, equals, is_empty
from vpnlab.live import begin
from vpnlab.nat import expect_hot, flows, inside_captures, moved, prepare, resets_sent
from vpnlab.pptp import SERVER_END, PptpClient, PptpServer
from vpnlab.probes import Pinger
from vpnlab.promise import expect_only_silence, gap_ms, worst_gap
from vpnlab.run import Run
from vpnlab.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
OUTAGE_MS = 2500
PPTP_PORT, GRE = 1723, 47
OBSERVED_S = 3
AFTERWARDS_S = 8
HOT_LIMIT_S = 5


def steps(run: Run) -> None:
    prepare(run.lab)
    live = begin(run)
    PptpServer(run.lab, run.lab.node("server"))
    inner = PptpClient(run.lab, live.client.node)
    inner.dial()
    pinger = Pinger(live.client.node, SERVER_END)
    run.step("client1 has a PPTP session to the server")
    run.observe(OBSERVED_S)
    before = [each for each in flows(live.active)
              if each.protocol == GRE or each.original.endswith(f":{PPTP_PORT}")]
    run.expect("flows", sorted(each.protocol for each in before), equals([6, GRE]))
    control = [each for each in before if each.protocol != GRE]
    run.expect("helpers", [each.helper for each in control], equals(["pptp"]))
    expect_hot(run, live, control, HOT_LIMIT_S)
    handshakes = inner.handshakes()
    cut_at = run.lab.now()
    successor = live.cut_power(live.active)
    run.observe(AFTERWARDS_S)
    until = run.lab.now()
    answers = pinger.stop()
    run.expect("inner_answers_afterwards", sum(each > until - 2 for each in answers), at_least(40))
    run.expect("inner_gap_ms", gap_ms(worst_gap(answers, (cut_at, until))), at_most(OUTAGE_MS))
    run.expect("inner_handshakes", inner.handshakes() - handshakes, equals(0))
    after = flows(successor, port=PPTP_PORT)
    run.expect("flows_with_another_port", moved(control, after), is_empty())
    run.expect("helpers_afterwards", [each.helper for each in after], equals(["pptp"]))

    seen = live.end()
    run.expect("resets_to_the_server", resets_sent(inside_captures(run.lab, run.out), PPTP_PORT),
               equals(0))
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
