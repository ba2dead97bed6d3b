# SPDX-License-Identifier: GPL-2.0-or-later
"""A RADIUS server ends sessions that another gateway had begun: Disconnect-Request (RFC 5176).

Purpose: what a server wants of a session reaches it wherever it lives, and nobody who does not know
the secret ends any.

Topology: client1 and client2 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS;
stock xl2tpd and pptpd beside each other. pppd's radius.so authenticates, vpnhad accounts.

Steps: client1 dials by L2TP, client2 by PPTP; the power of the promoted gateway is cut. From the
server, radclient asks the inside VIP: with another secret; for a session that nobody has; with what
cannot be honoured. It asks a standby at its own address. Then it asks for the end of client1's
session by its Acct-Session-Id, and of client2's by User-Name and Framed-IP-Address. client1 dials
again, and that session, of a stock pppd, is ended as well.

Expected: no answer to another secret; 503 of the VIP and 506 of a standby; 401 for a CoA-Request of
Filter-Id; none of these ends anything. Three Disconnect-ACKs: each client is notified, and gone
within 10 s; the server receives one Stop each, with Admin-Reset. Until then both clients see the
silence of the power cut and nothing else. In the end nothing is left on any node.
"""
import time

from vpnlab.evidence.expectation import at_most, equals
from vpnlab.host.topology import DEFAULT_NODES, VIP_INSIDE
from vpnlab.product.client import VpnClient
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.radius import Answer, RadiusServer, Report
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
NOTICE_LIMIT_S, ACCOUNT_LIMIT_S = 10, 30
UNKNOWN = "00000000-1-1.1-1"
ACK = Answer("Disconnect-ACK", "")


def of(client: VpnClient, reports: list[Report]) -> list[Report]:
    """Of the client's newest session, all reports to the server."""
    address = client.dialled()[-1].local
    newest = [each.session for each in reports if each.fields["Framed-IP-Address"] == address][-1:]
    return [each for each in reports if [each.session] == newest]


def wait_started(run: Run, radius: RadiusServer, client: VpnClient, before: str = "") -> str:
    """The Acct-Session-Id of a session that is not `before`."""
    def ask() -> str:
        reports = of(client, radius.reports())
        return reports[0].session if reports and reports[0].session != before else ""
    return run.wait_for(f"the server was notified of {client.name}", ask, ACCOUNT_LIMIT_S)


def end(run: Run, radius: RadiusServer, name: str, client: VpnClient, *attributes: str) -> None:
    session = of(client, radius.reports())[0].session
    run.step(f"the server wants {client.name}'s session ended: {', '.join(attributes)}")
    since = run.lab.now()
    run.expect(f"{name}_answer", radius.ask(VIP_INSIDE, "disconnect", *attributes), equals(ACK))
    run.wait_for(f"{client.name} is notified", client.gone, NOTICE_LIMIT_S)
    run.expect(f"{name}_notified_s", round(run.lab.now() - since, 1), at_most(NOTICE_LIMIT_S))

    def stops() -> list[Report]:
        return [each for each in radius.reports()
                if each.session == session and each.kind == "Stop"]
    run.wait_for("the server was notified of the end", stops, ACCOUNT_LIMIT_S)
    run.expect(f"{name}_causes", [each.fields["Acct-Terminate-Cause"] for each in stops()],
               equals(["Admin-Reset"]))


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"))
    live = begin(run, clients=(), observe_s=0,
                 stack=RadiusStack(run.lab, "dynamic_authorization = true"))
    first = live.dial("client1")
    second = live.dial("client2", dialler=PptpDialler)
    session = wait_started(run, radius, first)
    wait_started(run, radius, second)
    successor = live.cut_power(live.stack.wait_in_sync())
    live.wait_answered(second)
    standby = next(each for each in live.stack.cluster.nodes
                   if each is not successor and each.powered())

    by_id = f'Acct-Session-Id = "{session}"'
    run.step("the server asks for what nobody does")
    answers = {
        "other_secret": radius.ask(VIP_INSIDE, "disconnect", by_id, secret="another"),
        "unknown": radius.ask(VIP_INSIDE, "disconnect", f'Acct-Session-Id = "{UNKNOWN}"'),
        "standby": radius.ask(standby.address("inside"), "disconnect", by_id),
        "filter": radius.ask(VIP_INSIDE, "coa", by_id, 'Filter-Id = "slow"',
                             f"Event-Timestamp = {int(time.time())}"),
    }
    for name, expected in {
            "other_secret": Answer("", ""),
            "unknown": Answer("Disconnect-NAK", "Session-Context-Not-Found"),
            "standby": Answer("Disconnect-NAK", "Resources-Unavailable"),
            "filter": Answer("CoA-NAK", "Unsupported-Attribute")}.items():
        run.expect(name, answers[name], equals(expected))
    run.expect("ended_by_that", [client.gone() for client in live.clients],
               equals([False, False]))
    for client in live.clients:
        client.stop_traffic()

    end(run, radius, "by_id", first, by_id)
    end(run, radius, "by_user", second, f'User-Name = "{USER}"',
        f"Framed-IP-Address = {second.dialled()[-1].local}",
        f"Event-Timestamp = {int(time.time())}")
    run.step("client1 dials again")
    first.dial()
    again = wait_started(run, radius, first, before=session)
    end(run, radius, "stock", first, f'Acct-Session-Id = "{again}"')
    # Its xl2tpd keeps the tunnel, without a session.
    first.hang_up()

    seen = live.stack.node_status(successor)["dynamic_authorization"]
    run.expect("acks", seen["acks"], equals(3))
    run.expect("forged", seen["forged"] >= 1, equals(True))
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    measured = live.measure()
    for client in live.clients:
        expect_only_silence(run, measured.client(client.name), TAKEOVER_MS)
