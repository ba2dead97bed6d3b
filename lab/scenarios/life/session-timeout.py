# SPDX-License-Identifier: GPL-2.0-or-later
"""Session-Timeout and Idle-Timeout continue over two power cuts, and the clients are notified.

Purpose: a session lasts as long as its RADIUS server allows, whichever nodes had it.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server, with
FreeRADIUS; stock xl2tpd and pptpd beside each other.

Steps: client1 dials by L2TP and client2 by PPTP, each for 120 s; client3 by L2TP, until nothing
has passed for 40 s. Within their time the power of the promoted gateway is cut, and that of its
successor as soon as the first one is back. client3 makes traffic for longer than the others' time,
and then none.

Expected: client1 and client2 receive PPP's Terminate-Request 120 +- 2 s after the begin of their
sessions, and CDN or the end of the control connection with it; client3 does so when nothing has
passed for 40 s, and at most 12 s later. Each is gone 3 s later, and nothing is left of it on any
node. Until then all of them see the silence of the power cuts and nothing else. The accounting
server receives Session-Timeout and Idle-Timeout as the causes.
"""
import functools

from vpnlab.evidence.capture_invariants import pptp_hang_ups
from vpnlab.evidence.capture_session import SessionSpan
from vpnlab.evidence.expectation import at_most, between, equals, is_true
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.client import VpnClient
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.radius import RadiusServer, user
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=2, vpnha=True)
IDLE_USER = "ida"
TIME_S, IDLE_S = 120, 40
CUT_AT_S, QUIET_AT_S = 40, 108
# A successor looks at the counters each 10 s.
IDLE_LATER_S = 12
# pppd waits for 3 s behind a Terminate-Request.
GONE_S = 5
NOTICE_LIMIT_S = 30
ENDS = [4, 14]  # StopCCN, CDN.


def span(client: VpnClient) -> SessionSpan:
    return SessionSpan(client.files.outside, client.gateway.vip_outside)


def wait_gone(run: Run, client: VpnClient, until: float) -> None:
    run.wait_for(f"{client.name} is notified", client.gone, until - run.lab.now())


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"),
                          user(USER, f"Session-Timeout = {TIME_S}")
                          + user(IDLE_USER, f"Idle-Timeout = {IDLE_S}"))
    live = begin(run, clients=(), observe_s=0, stack=RadiusStack(run.lab))
    timed = [live.dial("client1")]
    began = run.lab.now()
    timed.append(live.dial("client2", dialler=PptpDialler))
    idle = live.dial("client3", dialler=functools.partial(L2tpClient, user=IDLE_USER))
    run.observe(began + CUT_AT_S - run.lab.now())
    live.cut_power(live.active)
    live.stack.rejoin(live.active.name)
    live.cut_power(live.stack.wait_in_sync())
    run.expect("failovers_done_s", run.lab.now() - began, at_most(QUIET_AT_S))
    run.observe(began + QUIET_AT_S - run.lab.now())
    for client in timed:
        client.stop_traffic()
    for client in timed:
        wait_gone(run, client, began + TIME_S + 20)
    run.observe(began + TIME_S + IDLE_S - run.lab.now())
    idle.stop_traffic()
    quiet = run.lab.now()
    run.expect("busy_one_lives", idle.gone(), equals(False))
    wait_gone(run, idle, quiet + IDLE_S + IDLE_LATER_S + GONE_S)
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    run.wait_for("the server was notified of all ends", lambda: sum(
        each.kind == "Stop" for each in radius.reports()) >= 3, NOTICE_LIMIT_S)
    stops = [each.fields for each in radius.reports() if each.kind == "Stop"]

    seen = live.measure()
    for client in live.clients:
        expect_only_silence(run, seen.client(client.name), TAKEOVER_MS)
    for client in timed:
        session = span(client)
        run.expect(f"{client.name}_ended_after_s", round(session.end - session.begin, 3),
                   between(TIME_S - 2, TIME_S + 2))
        gone = max(event.t for event in client.interface_events())
        run.expect(f"{client.name}_gone_s", round(gone - session.end, 3), at_most(GONE_S))
    session = span(idle)
    run.expect("client3_ended_after_idle_s", round(session.end - session.packet, 3),
               between(IDLE_S, IDLE_S + IDLE_LATER_S))
    for client in (timed[0], idle):
        received = sorted({each for each in span(client).sent if each in ENDS})
        run.expect(f"{client.name}_receives_cdn_and_stopccn", received, equals(ENDS))
    end = span(timed[1]).end
    run.expect("client2_control_connection_ends", any(
        "FIN" in each for each in pptp_hang_ups(timed[1].files.outside,
                                                timed[1].gateway.vip_outside,
                                                (end, end + GONE_S))), is_true())
    run.expect("causes", sorted(each["Acct-Terminate-Cause"] for each in stops),
               equals(["Idle-Timeout", "Session-Timeout", "Session-Timeout"]))
    for each in stops:
        if each["Acct-Terminate-Cause"] == "Session-Timeout":
            run.expect("session_time_s", int(each["Acct-Session-Time"]),
                       between(TIME_S - 2, TIME_S + 2))
