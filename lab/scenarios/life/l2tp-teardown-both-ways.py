# SPDX-License-Identifier: GPL-2.0-or-later
"""Resumed sessions of L2TP end from both sides, each word is answered, and nothing is left.

Purpose: who resumed a session ends it as its first gateway would have. A client that is not
answered repeats its last word for half a minute; one that receives nothing waits for its echoes.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server; no RADIUS.

Steps: the clients dial, client3 by two lines; the power of the promoted gateway is cut. On the
successor, one after the other: client1 hangs up (StopCCN); client2's session is ended by `vpnha
session end`; pppd of client3's first line is ordered to end (Terminate-Request), that of its second
line is killed (CDN).

Expected: the successor answers each word of the clients, and none is repeated. client2 receives
Terminate-Request, CDN and StopCCN, answers each, and has no interface any more within 5 s. Within
3 s of each end no node has the session or its tunnel. Before that client1 and client2 see the
silence of the power cut and nothing else, and the server answers through both lines of client3.
"""
from collections.abc import Callable
from pathlib import Path

from vpnlab.evidence.capture_goodbye import CDN, NAMES, STOP_CCN, TERM_REQ, goodbyes
from vpnlab.evidence.expectation import at_most, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES, VIP_OUTSIDE
from vpnlab.product.cluster import Cluster
from vpnlab.product.crowd import options_file
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.lines import Lines, LinesStack
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, Live, begin
from vpnlab.steps.promise import TAKEOVER_MS, Span, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
# pppd waits for 3 s behind a Terminate-Request that it has answered.
NOTIFIED_S, GONE_S, PATIENCE_S, UP_LIMIT_S = 5, 3, 20, 30
ENDS = [TERM_REQ, NAMES[CDN], NAMES[STOP_CCN]]


def steps(run: Run) -> None:
    live = begin(run, ("client1", "client2"), observe_s=0,
                 stack=LinesStack(run.lab, Cluster(run.lab)))
    first, second = live.clients
    node = run.lab.node("client3")
    lines_pcap = run.out / "client3-outside.pcap"
    run.lab.capture("client3", "outside", lines_pcap)
    lines = Lines(run.lab, node, range(2))
    lines.start()
    lines.dial(lines.numbers)
    run.wait_for("both lines of client3 are up", lambda: len(lines.up()) == 2, UP_LIMIT_S)
    live.stack.wait_protected(4)
    successor = live.cut_power(live.active)
    live.stack.wait_protected(4)
    run.expect("lines_answered", sorted(lines.answered(SERVER_ADDRESS)), equals([0, 1]))
    for client in live.clients:
        client.stop_traffic()

    spans = [end(run, live, "client1 hangs up", L2tpClient(first.node).hang_up)]
    ended = next(each["id"] for each in live.stack.sessions(successor)
                 if each["address"] == second.dialled()[-1].local)
    spans.append(end(run, live, f"client2's session is ended on {successor.name}",
                     lambda: successor.run("vpnha", "session", "end", ended, timeout=60)))
    run.wait_for("client2's interface is gone", second.gone, PATIENCE_S)
    run.expect("client2_notified_s", round(run.lab.now() - spans[-1][0], 2), at_most(NOTIFIED_S))
    for signal, number in (("TERM", 0), ("KILL", 1)):
        spans.append(end(
            run, live, f"pppd of client3's line {number} gets SIG{signal}",
            lambda: node.run("pkill", f"-{signal}", "-f", f"pppd .*{options_file(number)}")))
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)

    seen = live.measure()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
    outside = [first.files.outside, second.files.outside, lines_pcap, lines_pcap]
    expected: list[tuple[str, list[str], list[str]]] = [
        ("client1", ENDS[2:], []), ("client2", [], ENDS),
        ("client3_term", ENDS[:1], ENDS[1:]), ("client3_kill", ENDS[1:2], ENDS[2:])]
    for pcap, span, (who, own, gateways) in zip(outside, spans, expected):
        expect_goodbyes(run, pcap, span, who, own, gateways)


def end(run: Run, live: Live, what: str, act: Callable[[], object]) -> Span:
    """Ends one session; returns when no node has it any more."""
    nodes = [node for node in run.lab.gateways if node.powered()]
    left = len(live.stack.sessions(nodes[0])) - 1
    run.step(what)
    since = run.lab.now()
    act()
    for node in nodes:
        run.wait_for(f"{node.name} has {left} sessions and tunnels", lambda: [
            len(live.stack.sessions(node)),
            node.run("ip", "l2tp", "show", "tunnel").stdout.count("Tunnel ")] == [left, left],
            PATIENCE_S)
    until = run.lab.now()
    run.expect(f"gone_s_with_{left}_left", round(until - since, 2), at_most(GONE_S))
    return since, until


def expect_goodbyes(run: Run, pcap: Path, span: Span, who: str, own: list[str],
                    gateways: list[str]) -> None:
    """What the client sends, and the gateway; the other side answers all of it at once."""
    for side, expected, goodbye in zip(("client", "gateway"), (own, gateways),
                                       goodbyes(pcap, VIP_OUTSIDE, span)):
        run.expect(f"{who}_sent_by_the_{side}", goodbye.sent, equals(expected))
        run.expect(f"{who}_{side}_repeated", goodbye.repeated, is_empty())
        run.expect(f"{who}_{side}_unanswered", goodbye.unanswered, is_empty())
