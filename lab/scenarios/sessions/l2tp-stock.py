# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock L2TP client reaches the server through a stock gateway.

Purpose: proves the ground that every other scenario stands on: the nodes' kernels carry
L2TP and PPP, stock xl2tpd and pppd work in them, probes and captures see what happens, and
nothing of ours is needed for a session nor left behind by one.

Topology: client1 -- outside -- gw1 (both VIPs, set by hand) -- inside -- server.

Steps: gw1 takes the VIPs and starts xl2tpd; client1 dials, pings the server and streams TCP
to it for five seconds, then hangs up. No fault.

Expected: no probe is lost, the stream is intact, one session is set up and none again, and
after the hang-up neither node has a tunnel, a PPP interface or a pppd.
"""
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.host.topology import L2TP
from vpnlab.product.l2tp_gateway import StockGateway, l2tp_leftovers, take_addresses
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "client1", "server"))


def steps(run: Run) -> None:
    gateway = StockGateway(run.lab.gateway("gw1"))
    gateway.configure()
    take_addresses(run.lab.gateway("gw1"))
    gateway.start()
    run.start_echo_server()
    run.wait_for("xl2tpd of gw1 listens", gateway.listening, deadline_s=10)

    run.step("client1 dials")
    client = run.l2tp_client("client1")
    session = client.dial()
    low, _ = L2TP.pool(run.lab.gateway("gw1").spec)
    run.expect("address_from_pool", low.rpartition(".")[0] == session.local.rpartition(".")[0],
               is_true())

    run.step("pings and a TCP stream for 5 s")
    client.start_traffic()
    run.observe(5)
    client.stop_traffic()

    run.step("client1 hangs up")
    client.hang_up()
    run.expect_nothing_left([run.lab.node("gw1"), client.node], l2tp_leftovers, deadline_s=15)

    seen = run.measure().client("client1")
    run.expect("pings_sent", seen.pings_sent, at_least(200))
    run.expect("pings_lost", seen.pings_lost, equals(0))
    run.expect("tcp_intact", seen.tcp_intact, is_true())
    run.expect("tcp_resets", seen.tcp_resets, equals(0))
    run.expect("sessions_set_up", len(client.dialled()), equals(1))
    run.expect("ppp_renegotiations", seen.ppp_renegotiations, equals(0))
    run.expect("interface_changes", seen.interface_changes, equals(0))
