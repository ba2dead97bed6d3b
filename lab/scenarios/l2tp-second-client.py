# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that dials in after a failover is served by the new gateway; both survive the next one.

Purpose: resumed sessions and the stock xl2tpd live side by side on one node, and a session of
either kind is handed on.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic; the promoted gateway dies; client2 dials into the stock
xl2tpd of its successor and makes traffic; that one dies too.

Expected: client1 sees two short silences, client2 one, and neither anything else.
"""
from vpnlab.cluster import Cluster
from vpnlab.promise import expect_only_silence, expect_silent_standbys
from vpnlab.run import Run
from vpnlab.scenario import Scenario
from vpnlab.topology import DEFAULT_NODES
from vpnlab.vpnha_stack import VpnhaStack

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=2, vpnha=True)
OUTAGE_MS = 2500


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab))
    run.step("corosync, pacemaker and vpnha start on three gateways")
    stack.up()
    run.start_echo_server()
    first = run.l2tp_client("client1")
    first.dial()
    stack.wait_protected(1)
    first.start_traffic()
    run.observe(2)

    active = stack.wait_in_sync()
    run.step(f"power cut of {active.name}")
    active.power_off()
    stack.wait_promoted()
    stack.rejoin(active.name)
    successor = stack.wait_in_sync()

    run.step(f"client2 dials; {successor.name} serves it beside the resumed session")
    second = run.l2tp_client("client2")
    second.dial()
    stack.wait_protected(2)
    second.start_traffic()
    run.observe(2)

    run.step(f"power cut of {successor.name}")
    successor.power_off()
    stack.wait_promoted()
    stack.wait_protected(2)
    run.observe(3)
    first.stop_traffic()
    second.stop_traffic()

    run.step("both hang up")
    first.hang_up()
    second.hang_up()
    run.expect_nothing_left(run.lab.gateways, stack.leftovers, deadline_s=15)
    seen = run.measure()
    for name in ("client1", "client2"):
        expect_only_silence(run, seen.client(name), OUTAGE_MS)
    expect_silent_standbys(run, seen)
