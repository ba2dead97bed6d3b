# SPDX-License-Identifier: GPL-2.0-or-later
"""Accounting of an IKEv2 client continues over two power cuts and rekeys, until RADIUS ends it.

Purpose: charon's eap-radius authenticates, and its accounting would end with its node. So vpnhad
accounts for IKEv2 by the kernel's counters of ESP, which begin anew with each rekey and each
takeover. An accounting server has one session, and can end it wherever it lives.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS.

Steps: client1 dials by EAP-MSCHAPv2, with a fixed address (Framed-IP-Address), and moves some
megabytes. The power of the promoted gateway is cut under light traffic; twice. After each takeover
client1 rekeys its IKE SA and its CHILD SA, and moves megabytes. Then radclient asks the inside VIP
to end the session, by its Acct-Session-Id.

Expected: client1 has the address of its Access-Accept, and the silences of the power cuts are all
that its interface and its stream see. In what the server wrote down: one Start and one Stop under
one Acct-Session-Id, with client1's user, addresses and ESP as the tunnel's type; counters that
never go back; octets within 1 % of what client1's own interface received, and at least 95 % of what
it sent, and 4 % more at most, because it counts the headers of segments once that leave together. A
Disconnect-ACK: client1 is notified within 10 s, and the Stop has Admin-Reset. In the end nothing is
left on any node.
"""
import functools

from vpnlab.evidence.expectation import at_least, at_most, equals, is_true
from vpnlab.host.topology import NODES, VIP_INSIDE
from vpnlab.product.charon import Charon
from vpnlab.product.ipsec_client import CONNECTION, EAP_GCM, TUNNEL, Ikev2Client
from vpnlab.product.l2tp_gateway import USER
from vpnlab.product.radius import CLASS, DETAIL, Answer, user
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.accounts import (CHECKPOINT_S, MOVE_S, NOTICE_LIMIT_S, begin_server,
                                   cut_power_and_rejoin, expect_growth, expect_octets,
                                   move_octets, octets)
from vpnlab.steps.live import LEFTOVERS_LIMIT_S, begin
from vpnlab.steps.promise import TAKEOVER_MS
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
NAME = "client1"
ADDRESS = "10.200.80.7"
REKEY_S, END_S = 20, 10
# 52 octets of a segment of 1 380.
MERGED_PERCENT = 4.0


def rekey(run: Run, charon: Charon) -> None:
    """The IKE SA, and the CHILD SA: nothing is left of the first ones."""
    ikes, children = charon.ike_rekeys(), charon.child_sas_made()
    run.step(f"{NAME} rekeys its IKE SA, and its CHILD SA")
    charon.rekey_ike(CONNECTION)
    run.wait_for(f"{NAME} has its new IKE SA", lambda: charon.ike_rekeys() > ikes, REKEY_S)
    charon.rekey(CONNECTION)
    run.wait_for(f"{NAME} has its new CHILD SA",
                 lambda: charon.child_sas_made() > children, REKEY_S)


def steps(run: Run) -> None:
    radius = begin_server(run, user(USER, f'Class = "{CLASS}", Framed-IP-Address = {ADDRESS}'))
    live = begin(run, clients=(), observe_s=0,
                 stack=RadiusStack(run.lab, "dynamic_authorization = true", eap=True))
    client = live.dial(NAME, dialler=functools.partial(Ikev2Client, kind=EAP_GCM))
    run.expect("address", client.dialled()[-1].local, equals(ADDRESS))
    for _ in range(2):
        move_octets(live, MOVE_S)
        cut_power_and_rejoin(live)
        live.stack.wait_protected(1)
        rekey(run, Charon(client.node))
    move_octets(live, MOVE_S)
    client.stop_traffic()
    run.observe(CHECKPOINT_S)
    counted = octets(client, TUNNEL)

    run.step(f"the server wants {NAME}'s session ended")
    since = run.lab.now()
    answer = radius.ask(VIP_INSIDE, "disconnect",
                        f'Acct-Session-Id = "{radius.reports()[0].session}"')
    run.expect("answer", answer, equals(Answer("Disconnect-ACK", "")))
    run.wait_for(f"{NAME} is notified", client.gone, END_S)
    run.expect("notified_s", round(run.lab.now() - since, 1), at_most(END_S))
    run.wait_for("the server was notified of the end",
                 lambda: any(each.kind == "Stop" for each in radius.reports()), NOTICE_LIMIT_S)
    run.observe(CHECKPOINT_S)

    reports = radius.reports()
    (run.out / "detail").write_bytes(run.lab.node("server").get(DETAIL))
    kinds = [each.kind for each in reports]
    run.expect("sessions", len({each.session for each in reports}), equals(1))
    run.expect("in_order", (kinds[0], kinds[-1]), equals(("Start", "Stop")))
    run.expect("starts", kinds.count("Start"), equals(1))
    run.expect("stops", kinds.count("Stop"), equals(1))
    run.expect("interims", len(kinds) - 2, at_least(2))
    run.expect("who", sorted({(each.fields["User-Name"], each.fields["Framed-IP-Address"],
                               each.fields["Calling-Station-Id"]) for each in reports}),
               equals([(USER, ADDRESS, NODES[NAME].address("outside"))]))
    run.expect("tunnels", sorted({each.fields["Tunnel-Type"] for each in reports}), equals(["ESP"]))
    expect_growth(run, NAME, [[int(each.fields["Acct-Session-Time"]), each.octets("Input"),
                               each.octets("Output"), int(each.fields["Acct-Input-Packets"]),
                               int(each.fields["Acct-Output-Packets"])] for each in reports[1:]])
    run.expect("cause", reports[-1].fields["Acct-Terminate-Cause"], equals("Admin-Reset"))
    expect_octets(run, NAME, reports[-1], counted, merged_percent=MERGED_PERCENT)
    run.expect_nothing_left(run.lab.gateways, live.stack.leftovers, LEFTOVERS_LIMIT_S)
    seen = live.measure().client(NAME)
    run.expect("outage_ms", seen.outage_ms, at_most(TAKEOVER_MS))
    run.expect("interface_changes", seen.interface_changes, equals(0))
    run.expect("tcp_intact", seen.tcp_intact, is_true())
    run.expect("set_up", len(client.dialled()), equals(1))
