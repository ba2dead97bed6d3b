# SPDX-License-Identifier: GPL-2.0-or-later
"""Five hundred sessions are lost with their node; their ends and their Stops are sent at a rate.

Purpose: after a failure that lost sessions a RADIUS server is not overrun, neither by Stops nor by
the clients that dial again; and who dials again does not wait for the Stops of all others.

Topology: client1 and client2 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS. The
gateways' pppds require sequence numbers of L2TP's data, so no other node can continue with a
session.

Steps: client1 dials. Five hundred sessions more are announced by a program that speaks as pppd's
plugin does; their peers are on client2. The server receives an account of each. The power of the
promoted gateway is cut; client1 dials again by itself, and hangs up.

Expected: within any second at most 20 Accounting-Requests reach the server (and one more, because a
window may have both its ends), and at most 100 of client2's peers are notified that their sessions
ended. client1 is served again within 10 s of the power cut, and the server is notified of that
within 2 s more, while Stops wait. Of each lost session the server receives one Start and one Stop,
with Lost-Service; of the addresses that were given anew the Stop comes first. Then no account
waits.
"""
from vpnlab.evidence.capture_rate import first_ends, most_within, packet_times
from vpnlab.evidence.expectation import at_least, at_most, equals, is_empty
from vpnlab.host.topology import DEFAULT_NODES, VIP_OUTSIDE
from vpnlab.product.crowd import AnnouncedSessions
from vpnlab.product.l2tp_client import L2tpClient, Redial
from vpnlab.product.radius import ACCT_PORT, RadiusServer, Report
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=1, vpnha=True)
SESSIONS, ALL = 500, 501
REQUESTS_PER_SECOND, REDIALS_PER_SECOND = 20, 100
# Within the run nobody's Interim is due.
INTERIM_S = 3600
REDIAL = Redial(timeout_s=2)
READY_LIMIT_S, DIAL_LIMIT_S, PATIENCE_S = 15, 15, 60
NOTICE_LIMIT_S = 2 * ALL / REQUESTS_PER_SECOND
# In the order of their ends its Start would wait for 5 s at least.
REDIALLED_S, STARTED_S, WAITING = 10, 2, 100


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"))
    stack = RadiusStack(run.lab, f"requests_per_second = {REQUESTS_PER_SECOND}",
                        ppp=("pppol2tp_send_seq", "pppol2tp_recv_seq"), interim_s=INTERIM_S)
    live = begin(run, clients=(), observe_s=0, stack=stack)
    dialler = L2tpClient(run.lab.node("client1"), redial=REDIAL)
    dialler.start()
    run.wait_for("client1's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    dialler.dial()
    run.wait_for("client1 has a session", dialler.up, DIAL_LIMIT_S)
    run.step(f"{SESSIONS} sessions are announced, which end with their node")
    AnnouncedSessions(run.lab, live.active, run.lab.node("client2"), SESSIONS).start("--sequenced")

    def accounts(name: str) -> int:
        return stack.status(live.active)["accounting"][name]
    run.wait_for("the server has an account of each", lambda: (
        accounts("sessions") == ALL and accounts("waiting") == 0), NOTICE_LIMIT_S)
    begun = {each.session for each in radius.reports() if each.kind == "Start"}
    run.expect("begun", len(begun), equals(ALL))
    stack.wait_in_sync()

    requests = run.lab.capture("server", "inside", run.out / "requests.pcap",
                               f"arp or udp dst port {ACCT_PORT}")
    ends = run.lab.capture("client2", "outside", run.out / "ends.pcap", f"src {VIP_OUTSIDE}")
    run.step(f"power cut of {live.active.name}, which is promoted, with {ALL} sessions")
    cut_at = run.lab.now()
    live.active.power_off()
    run.wait_for("client1 has dialled again", lambda: len(dialler.dialled()) == 2 and dialler.up(),
                 PATIENCE_S)
    up_at = run.lab.now()
    run.expect("redialled_s", round(up_at - cut_at, 2), at_most(REDIALLED_S))
    live.active = stack.wait_promoted()

    def started_anew() -> list[Report]:
        return [each for each in radius.reports()
                if each.kind == "Start" and each.session not in begun]
    run.wait_for("the server has the account of client1's new session", started_anew,
                 NOTICE_LIMIT_S)
    run.expect("started_anew_s", round(run.lab.now() - up_at, 2), at_most(STARTED_S))
    run.expect("waiting_meanwhile", accounts("waiting"), at_least(WAITING))
    run.wait_for("no account waits any more", lambda: accounts("waiting") == 0, NOTICE_LIMIT_S)
    requests.stop()
    ends.stop()

    run.expect("requests_within_a_second", most_within(packet_times(requests.path)),
               at_most(REQUESTS_PER_SECOND + 1))
    notified_at = first_ends(ends.path, VIP_OUTSIDE)
    run.expect("peers_notified", len(notified_at), equals(SESSIONS))
    run.expect("peers_notified_within_a_second", most_within(notified_at),
               at_most(REDIALS_PER_SECOND + 1))
    reports = radius.reports()
    stops = [each for each in reports if each.kind == "Stop"]
    run.expect("sessions_stopped", len({each.session for each in stops} & begun), equals(ALL))
    run.expect("stops", len(stops), equals(ALL))
    run.expect("starts", sum(each.kind == "Start" for each in reports), equals(ALL + 1))
    run.expect("other_causes", sorted({each.fields["Acct-Terminate-Cause"] for each in stops}
                                      - {"Lost-Service"}), is_empty())
    run.expect("addresses_given_anew_before_their_stop", given_early(reports), is_empty())
    dialler.hang_up()
    run.wait_for("client1 has hung up", dialler.gone, DIAL_LIMIT_S)
    live.end()


def given_early(reports: list[Report]) -> list[str]:
    """Addresses of which a server that keeps them in a database would have had two sessions."""
    holder: dict[str, str] = {}
    early = []
    for each in reports:
        address = each.fields["Framed-IP-Address"]
        if each.kind == "Start":
            if holder.setdefault(address, each.session) != each.session:
                early.append(address)
        elif each.kind == "Stop" and holder.get(address) == each.session:
            del holder[address]
    return early
