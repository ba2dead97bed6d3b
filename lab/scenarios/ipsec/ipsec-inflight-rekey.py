# SPDX-License-Identifier: GPL-2.0-or-later
"""The power of the promoted gateway is cut within a rekey, and the SA lives on.

Purpose: an exchange of IKEv2 that was not answered is repeated by who has begun it. The next
gateway's charon knows that it was taken up, and would ignore it, until the client gives up.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. client1 speaks IKEv2.

Steps: client1 dials and makes traffic. Three times an answer is lost, and the power of the promoted
gateway is cut right behind it; the gateway returns. The answers: to client1, which asked for a new
CHILD SA; to client1, which asked to delete the old one; to the gateway, which asked for a new one.
In the end the gateway asks for a new CHILD SA once more, and client1 does.

Expected: client1 has an answer each time, from the next gateway. Its session continues: its
interface stays up, its stream is intact, and it was set up once. No ESP number is used twice.
"""
import re
from collections.abc import Callable

from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.node import Node
from vpnlab.product.charon import (CREATE_CHILD_SA, INFORMATIONAL, LOG, Charon, lose_ike,
                                   lose_no_ike)
from vpnlab.product.ipsec_client import CONNECTION, Ikev2Client
from vpnlab.product.ipsec_gateway import Auth, ikev2_name
from vpnlab.steps.live import Live, begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=3, vpnha=True)
REPEATED = "ike_requests_repeated"
# What was requested is done by then; its response is not sent.
ASKED_S = 1
# A client asks again after 4 s, and 7 s later once more.
ANSWER_S = 20
CHILD = re.compile(r"CHILD_SA (\S+) established")
CLOSED = re.compile(r"CHILD_SA closed")


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, ipsec=True)
    client = live.dial("client1", dialler=Ikev2Client).node
    run.observe(2)

    made = children(client)
    run.step("client1 asks for a new CHILD SA; the answer is lost with the gateway")
    interrupt(run, live, CREATE_CHILD_SA, lambda _: Charon(client).rekey(CONNECTION))
    run.wait_for("client1 has its new CHILD SA", lambda: children(client) > made, ANSWER_S)

    run.step("client1 asks to delete the old CHILD SA; the answer is lost with the gateway")
    closed = len(CLOSED.findall(client.read_log(LOG)))
    interrupt(run, live, INFORMATIONAL, lambda _: Charon(client).rekey(CONNECTION))
    run.wait_for("client1 has closed its old CHILD SA",
                 lambda: len(CLOSED.findall(client.read_log(LOG))) > closed, ANSWER_S)

    run.step("the gateway asks for a new CHILD SA; the answer is lost with it")
    interrupt(run, live, CREATE_CHILD_SA, lambda gateway: Charon(gateway).rekey(
        ikev2_name(Auth.PSK)), sent=True)

    active = live.stack.wait_in_sync()
    for name, node, connection in ((active.name, active, ikev2_name(Auth.PSK)),
                                   ("client1", client, CONNECTION)):
        made = children(client)
        run.step(f"{name} asks for a new CHILD SA")
        Charon(node).rekey(connection)
        run.wait_for("client1 has its new CHILD SA",
                     lambda: children(client) > made, ANSWER_S)
    live.stack.wait_protected(1)
    run.observe(2)
    seen = live.end()
    found = seen.client("client1")
    run.expect("client1_interface_changes", found.interface_changes, equals(0))
    run.expect("client1_tcp_intact", found.tcp_intact, is_true())
    run.expect("client1_set_up", len(live.client.dialled()), equals(1))


def interrupt(run: Run, live: Live, exchange: int, ask: Callable[[Node], None],
              sent: bool = False) -> None:
    """Returns when the session is protected again, and the dead gateway a standby. `sent`: it is
    client1's answer that is lost."""
    active = live.stack.wait_in_sync()
    lose_ike(live.client.node, exchange, sent)
    ask(active)
    run.observe(ASKED_S)
    lose_no_ike(live.client.node)
    successor = live.cut_power(active)
    if not sent:
        run.wait_for("client1 has asked again", lambda: repeated(live, successor), ANSWER_S)
    live.stack.rejoin(active.name)
    live.stack.wait_protected(1)
    run.expect(f"repeated_at_{successor.name}", repeated(live, successor),
               equals(0) if sent else at_least(1))


def repeated(live: Live, node: Node) -> int:
    """Requests of clients that the node has had answered once more."""
    return live.stack.status(node)["counters"][REPEATED]


def children(client: Node) -> int:
    return len(set(CHILD.findall(client.read_log(LOG))))
