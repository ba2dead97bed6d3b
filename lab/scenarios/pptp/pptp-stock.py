# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock PPTP client reaches the server through a stock gateway, encrypted by MPPE.

Purpose: proves the ground that every other scenario of PPTP stands on, as l2tp-stock does for L2TP:
stock pptpd, pppd and the kernel's MPPE work in the nodes, and the captures see GRE.

Topology: client1, client2 -- outside -- gw1 (both VIPs, set by hand) -- inside -- server.

Steps: gw1 takes the VIPs and starts pptpd; the clients dial by pptp-linux and demand MPPE with 128
bits, ping the server and stream TCP to it for five seconds, then hang up. No fault.

Expected: no probe is lost, the streams are intact, one session each and none again; not one user's
packet is in the clear, no GRE number is used twice; after the hang-up no node has a PPP interface,
a pppd or a pptp.
"""
from vpnlab.evidence.capture_invariants import cleartext_pptp
from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.product.l2tp_gateway import take_addresses
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.pptp_gateway import StockPptpd, pptp_leftovers
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "client1", "client2", "server"))


def steps(run: Run) -> None:
    gw1 = run.lab.gateway("gw1")
    pptpd = StockPptpd(gw1)
    pptpd.configure()
    take_addresses(gw1)
    pptpd.start()
    run.start_echo_server()
    run.wait_for("pptpd of gw1 listens", pptpd.listening, deadline_s=10)

    clients = [run.client(PptpDialler(run.lab.node(name))) for name in ("client1", "client2")]
    for client in clients:
        run.step(f"{client.name} dials")
        client.dial()
    run.step("pings and TCP streams for 5 s")
    for client in clients:
        client.start_traffic()
    run.observe(5)
    for client in clients:
        client.stop_traffic()

    run.step("both hang up")
    for client in clients:
        client.hang_up()
    run.expect_nothing_left([gw1, *(client.node for client in clients)], pptp_leftovers,
                            deadline_s=15)

    found = run.measure()
    for client in clients:
        seen = found.client(client.name)
        run.expect(f"{seen.name}_pings_sent", seen.pings_sent, at_least(200))
        run.expect(f"{seen.name}_pings_lost", seen.pings_lost, equals(0))
        run.expect(f"{seen.name}_tcp_intact", seen.tcp_intact, is_true())
        run.expect(f"{seen.name}_tcp_resets", seen.tcp_resets, equals(0))
        run.expect(f"{seen.name}_sessions_set_up", len(client.dialled()), equals(1))
        run.expect(f"{seen.name}_ppp_renegotiations", seen.ppp_renegotiations, equals(0))
        run.expect(f"{seen.name}_ccp_exchanges", seen.ccp_exchanges, equals(0))
        run.expect(f"{seen.name}_interface_changes", seen.interface_changes, equals(0))
        run.expect(f"{seen.name}_in_the_clear",
                   cleartext_pptp(client.files.outside, client.gateway.vip_outside), equals(0))
    run.expect("gre_seq_reused", found.invariants.gre_seq_reused, equals(0))
