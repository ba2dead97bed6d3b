# SPDX-License-Identifier: GPL-2.0-or-later
"""A RADIUS server gives sessions another Session-Timeout: CoA-Request (RFC 5176).

Purpose: what a server wants of a session's time is heeded wherever the session lives: in a stock
pppd, whose own timer would end it later or sooner, and taken over; and it outlives a power cut.

Topology: client1, client2, client3 -- outside -- gw1, gw2, gw3 -- inside -- server, with
FreeRADIUS; stock xl2tpd and pptpd beside each other.

Steps: client1 dials by L2TP and client2 by PPTP, each for 50 s, as the server orders. It gives
client1 80 s, and the power of the promoted gateway is cut at once. Of the successor it wants 40 s
for client2, whose session that gateway has taken over. client3 dials by L2TP, also for 50 s, and
gets 30 s of its stock pppd, and then 65 s. The server asks for no change at all, and for one more
attribute.

Expected: four CoA-ACKs; 402 for no change, 401 for what cannot be honoured. client1 receives PPP's
Terminate-Request 80 +- 2 s after the begin of its session, client2 after 40 +- 2 s, client3 after
65 +- 2 s. Until then client1 and client2 see the silence of the power cut and nothing else. The
accounting server receives three Stops, with Session-Timeout. In the end nothing is left on any
node.
"""
import time

from vpnlab.evidence.capture_session import SessionSpan
from vpnlab.evidence.expectation import between, equals
from vpnlab.host.topology import DEFAULT_NODES, VIP_INSIDE
from vpnlab.product.client import VpnClient
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.radius import Answer, RadiusServer, user
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2", "client3"), faults=1, vpnha=True)
TIME_S, TAKEN_OVER_S, SHORTER_S, STOCK_S = 50, 80, 40, 65
# The accounts are looked at two seconds after a takeover.
ANSWER_LIMIT_S, GONE_LIMIT_S, NOTICE_LIMIT_S = 10, 20, 30
ACK = Answer("CoA-ACK", "")


def ask(radius: RadiusServer, client: VpnClient, *attributes: str) -> Answer:
    return radius.ask(VIP_INSIDE, "coa", f'User-Name = "{USER}"',
                      f"Framed-IP-Address = {client.dialled()[-1].local}",
                      f"Event-Timestamp = {int(time.time())}", *attributes)


def change(run: Run, radius: RadiusServer, client: VpnClient, seconds: int) -> None:
    run.step(f"the server gives {client.name} {seconds} s")
    run.wait_for("the request is acknowledged", lambda: ask(
        radius, client, f"Session-Timeout = {seconds}") == ACK, ANSWER_LIMIT_S)


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"),
                          user(USER, f"Session-Timeout = {TIME_S}"))
    live = begin(run, clients=(), observe_s=0,
                 stack=RadiusStack(run.lab, "dynamic_authorization = true"))
    live.stack.wait_in_sync()
    first = live.dial("client1")
    first_began = run.lab.now()
    second = live.dial("client2", dialler=PptpDialler)
    second_began = run.lab.now()
    live.stack.wait_protected(2)
    change(run, radius, first, TAKEN_OVER_S)
    live.cut_power(live.active)
    live.wait_answered(second)
    change(run, radius, second, SHORTER_S)
    third = live.dial("client3")
    third_began = run.lab.now()
    for seconds in (30, STOCK_S):
        change(run, radius, third, seconds)
    run.expect("no_change", ask(radius, third), equals(Answer("CoA-NAK", "Missing-Attribute")))
    run.expect("one_more", ask(radius, third, "Session-Timeout = 5", 'Filter-Id = "slow"'),
               equals(Answer("CoA-NAK", "Unsupported-Attribute")))

    for client, ends in ((second, second_began + SHORTER_S), (first, first_began + TAKEN_OVER_S),
                         (third, third_began + STOCK_S)):
        run.observe(max(0.0, ends - 5 - run.lab.now()))
        client.stop_traffic()
        run.wait_for(f"{client.name} is notified", client.gone, ends + GONE_LIMIT_S - run.lab.now())
    # Its xl2tpd keeps the tunnel, without a session.
    third.hang_up()
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)

    def stops() -> list[str]:
        return [each.fields["Acct-Terminate-Cause"] for each in radius.reports()
                if each.kind == "Stop"]
    run.wait_for("the server was notified of all ends", lambda: len(stops()) >= 3, NOTICE_LIMIT_S)
    run.expect("causes", stops(), equals(["Session-Timeout"] * 3))
    measured = live.measure()
    for client in (first, second):
        expect_only_silence(run, measured.client(client.name), TAKEOVER_MS)
    for client, lasts in ((first, TAKEN_OVER_S), (second, SHORTER_S), (third, STOCK_S)):
        seen = SessionSpan(client.files.outside, client.gateway.vip_outside)
        run.expect(f"{client.name}_ended_after_s", round(seen.end - seen.begin, 3),
                   between(lasts - 2, lasts + 2))
