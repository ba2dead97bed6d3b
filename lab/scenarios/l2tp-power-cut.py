# SPDX-License-Identifier: GPL-2.0-or-later
"""A live L2TP session outlives the power cut of its gateway.

Purpose: the promise itself. The session that l2tp-control loses goes on at another node, and the
client sees a short silence and nothing else.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: vpnha serves on one gateway, the others hold its sessions hot; client1 dials, pings the
server and streams TCP to it; the power of the promoted gateway is cut under that traffic.

Expected: within 2.5 s another gateway answers in the same session: no L2TP setup, no PPP
negotiation, no authentication, no TCP reset, the same interface; the stream is intact. No
standby says a word meanwhile. After the client has hung up nothing is left on any node.
"""
from vpnlab.cluster import Cluster
from vpnlab.expectation import at_least
from vpnlab.promise import expect_only_silence, expect_silent_standbys
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.vpnha_stack import VpnhaStack

SCENARIO = Scenario(faults=1, vpnha=True)
OUTAGE_MS = 2500
AFTERWARDS_S = 5


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab))
    run.step("corosync, pacemaker and vpnha start on three gateways")
    stack.up()
    run.start_echo_server()
    client = run.l2tp_client("client1")
    client.dial()
    stack.wait_protected(1)
    active = stack.wait_in_sync()
    run.step(f"{active.name} serves client1; two standbys hold its session")
    client.start_traffic()
    run.observe(3)

    run.step(f"power cut of {active.name}")
    active.power_off()
    successor = stack.wait_promoted()
    answered = client.answered_pings()
    run.wait_for("pings are answered again", lambda: client.answered_pings() > answered, 10)
    run.step(f"{successor.name} has resumed the session; {AFTERWARDS_S} s more")
    stack.wait_protected(1)
    run.observe(AFTERWARDS_S)
    client.stop_traffic()

    run.step("client1 hangs up")
    client.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, deadline_s=15)
    seen = run.measure()
    run.expect("served_by", len({owner.node for owner in seen.owners}), at_least(2))
    expect_only_silence(run, seen.client("client1"), OUTAGE_MS)
    expect_silent_standbys(run, seen)
