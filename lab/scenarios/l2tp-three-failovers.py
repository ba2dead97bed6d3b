# SPDX-License-Identifier: GPL-2.0-or-later
"""One session outlives three gateways, one after the other.

Purpose: sessions once resumed are replicated again, so that the n-th failover works like the
first; and a node that returns becomes a hot standby of a session it once served.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic throughout. Three times: the power of the promoted gateway
is cut, another one resumes the session, the dead one returns and is in sync again. Each gateway
dies once.

Expected: as in l2tp-power-cut, for each of the three.
"""
from vpnlab.cluster import Cluster
from vpnlab.expectation import equals
from vpnlab.promise import expect_only_silence, expect_silent_standbys
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.vpnha_stack import VpnhaStack

SCENARIO = Scenario(faults=3, vpnha=True)
OUTAGE_MS = 2500


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab))
    run.step("corosync, pacemaker and vpnha start on three gateways")
    stack.up()
    run.start_echo_server()
    client = run.l2tp_client("client1")
    client.dial()
    stack.wait_protected(1)
    client.start_traffic()
    run.observe(2)

    victims: list[str] = []
    for number in ("first", "second", "third"):
        active = stack.wait_in_sync()
        victims.append(active.name)
        # Who has died already would be as good a successor; but each gateway is to die once.
        stack.avoid(victims[:-1] if number == "second" else [])
        run.step(f"{number} power cut: {active.name}")
        active.power_off()
        successor = stack.wait_promoted()
        answered = client.answered_pings()
        run.wait_for("pings are answered again", lambda: client.answered_pings() > answered, 10)
        run.step(f"{successor.name} has resumed the session; {active.name} returns")
        stack.avoid([])
        stack.rejoin(active.name)
        stack.wait_protected(1)
        run.observe(2)
    client.stop_traffic()

    run.step("client1 hangs up")
    client.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, deadline_s=15)
    seen = run.measure()
    run.expect("each_gateway_died_once", sorted(victims), equals(["gw1", "gw2", "gw3"]))
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
    expect_silent_standbys(run, seen)
