# SPDX-License-Identifier: GPL-2.0-or-later
"""The RADIUS server is away while a gateway loses its power and a session ends; no report is lost.

Purpose: accounts wait for their server over a failover, and nothing is reported twice or lost.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS.

Steps: client1 dials by L2TP; FreeRADIUS is ended. The power of the promoted gateway is cut; client1
hangs up. The power of the second gateway is cut, too, when the first one is back. FreeRADIUS is
started again.

Expected: client1 sees the silence of the first power cut and nothing else. While the server is away
the gateway shows that an account waits. Within 70 s of its return the server was notified of one
Stop, of the same Acct-Session-Id as its one Start, with User-Request, with an Acct-Delay-Time of as
long as it was away, and with no fewer octets than in the last report before. No account waits any
more.
"""
from vpnlab.evidence.expectation import at_least, at_most, equals, is_true
from vpnlab.product.radius import RadiusServer, Report
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
STARTED_LIMIT_S, GONE_LIMIT_S, WAITING_LIMIT_S = 30, 15, 10
# vpnhad asks again after 60 s at most.
NOTICE_LIMIT_S = 70


def steps(run: Run) -> None:
    radius = RadiusServer(run.lab, run.lab.node("server"))
    live = begin(run, clients=(), observe_s=0, stack=RadiusStack(run.lab))
    stack = live.stack
    client = live.dial("client1")
    run.wait_for("the server was notified of an Interim", lambda: any(
        each.kind == "Interim-Update" for each in radius.reports()), STARTED_LIMIT_S)
    run.step("FreeRADIUS is ended")
    radius.stop()
    away_at = run.lab.now()
    before = radius.reports()
    first = live.active
    live.cut_power(first)
    run.observe(2)
    client.stop_traffic()
    client.hang_up()
    run.wait_for("client1 has hung up", client.gone, GONE_LIMIT_S)
    ended_at = run.lab.now()
    stack.rejoin(first.name)
    second = stack.wait_in_sync()
    run.expect("waiting_on_the_first_successor", waiting(stack, second), at_least(1))
    stack.cluster.spare_successors(second)
    run.step(f"power cut of {second.name}, which is promoted, with the account")
    second.power_off()
    third = stack.wait_promoted()
    run.wait_for("the second successor shows that the account waits",
                 lambda: waiting(stack, third) >= 1, WAITING_LIMIT_S)

    run.step("FreeRADIUS is started again")
    radius.start()
    back_at = run.lab.now()

    def stops() -> list[Report]:
        return [each for each in radius.reports() if each.kind == "Stop"]
    run.wait_for("the server was notified of the Stop", stops, NOTICE_LIMIT_S)
    run.expect("reported_after_s", round(run.lab.now() - back_at, 1), at_most(NOTICE_LIMIT_S))
    run.wait_for("no account waits any more", lambda: waiting(stack, third) == 0, NOTICE_LIMIT_S)
    reports = radius.reports()
    run.expect("ids", len({each.session for each in reports}), equals(1))
    run.expect("starts", [each.kind for each in reports].count("Start"), equals(1))
    run.expect("stops", len(stops()), equals(1))
    stop = stops()[0]
    run.expect("cause", stop.fields["Acct-Terminate-Cause"], equals("User-Request"))
    delay_s = int(stop.fields["Acct-Delay-Time"])
    run.expect("delay_s", delay_s, at_least(int(back_at - ended_at) - 2))
    run.expect("delay_s_at_most", delay_s, at_most(round(run.lab.now() - away_at)))
    run.expect("octets_never_go_back", all(
        stop.octets(direction) >= each.octets(direction) for direction in ("Input", "Output")
        for each in before if each.kind == "Interim-Update"), is_true())
    run.expect_nothing_left([node for node in run.lab.gateways if node.powered()],
                            stack.leftovers, GONE_LIMIT_S)
    seen = live.measure()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def waiting(stack, node) -> int:
    """Accounts whose server has not answered yet."""
    return stack.status(node)["accounting"]["waiting"]
