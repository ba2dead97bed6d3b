# SPDX-License-Identifier: GPL-2.0-or-later
"""The clocks of the gateways differ by a day; sessions last as long as they may.

Purpose: nothing of a session depends on two nodes' clocks, and the operator is notified of clocks
that differ.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS; stock
xl2tpd and pptpd beside each other.

Steps: the clock of gw2 is set a day ahead and that of gw3 an hour back. client1 dials by L2TP and
client2 by PPTP, each for 90 s, as the RADIUS server orders. The power of the promoted gateway is
cut, and the clock of its successor is set an hour ahead.

Expected: `vpnha status --check` names the difference on each standby, and not on the promoted
gateway. Both clients see the silence of the power cut and nothing else until PPP's
Terminate-Request, 90 +- 2 s after the begin of their sessions. The accounting server receives
Acct-Session-Time of 90 +- 2 s.
"""
from vpnlab.evidence.capture_session import SessionSpan
from vpnlab.evidence.expectation import between, equals, is_true
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.radius import RadiusServer, user
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=4, vpnha=True)
OFF_S = {"gw2": 86_400, "gw3": -3_600}
TIME_S, QUIET_S = 90, 5
# A standby measures each ten seconds, and believes the second measurement.
NAMED_LIMIT_S = 30
GONE_LIMIT_S, NOTICE_LIMIT_S = 20, 30
WARNING = 1


def named_by_check(node: Node) -> bool:
    done = node.run("vpnha", "status", "--check", check=False)
    return done.code == WARNING and "this node's clock is" in done.stdout


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"),
                          user(USER, f"Session-Timeout = {TIME_S}"))
    for name, seconds in OFF_S.items():
        run.lab.node(name).step_clock(seconds)
    live = begin(run, clients=(), observe_s=0, stack=RadiusStack(run.lab))
    live.stack.wait_in_sync()
    clients = [live.dial("client1")]
    began = [run.lab.now()]
    clients.append(live.dial("client2", dialler=PptpDialler))
    began.append(run.lab.now())
    live.stack.wait_protected(2)
    for node in live.standbys:
        run.wait_for(f"status --check of {node.name} names its clock",
                     lambda: named_by_check(node), NAMED_LIMIT_S)
    run.expect("named_where_it_serves", named_by_check(live.active), equals(False))
    successor = live.cut_power(live.active)
    run.step(f"the clock of {successor.name} goes an hour ahead")
    successor.step_clock(3600)
    run.observe(began[0] + TIME_S - QUIET_S - run.lab.now())
    for client in clients:
        client.stop_traffic()
    for client, since in zip(clients, began, strict=True):
        run.wait_for(f"{client.name} is notified", client.gone,
                     since + TIME_S + GONE_LIMIT_S - run.lab.now())
    run.expect_nothing_left([successor, *live.standbys], live.stack.leftovers, LEFTOVERS_LIMIT_S)
    run.wait_for("the server was notified of both ends", lambda: sum(
        each.kind == "Stop" for each in radius.reports()) >= 2, NOTICE_LIMIT_S)
    seen = live.measure()
    for client in clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
        span = SessionSpan(client.files.outside, client.gateway.vip_outside)
        run.expect(f"{client.name}_ended_after_s", round(span.end - span.begin, 3),
                   between(TIME_S - 2, TIME_S + 2))
    stops = [each.fields for each in radius.reports() if each.kind == "Stop"]
    run.expect("causes", [each["Acct-Terminate-Cause"] for each in stops],
               equals(["Session-Timeout"] * 2))
    run.expect("session_times_right", all(
        TIME_S - 2 <= int(each["Acct-Session-Time"]) <= TIME_S + 2 for each in stops), is_true())
