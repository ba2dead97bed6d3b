# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock L2TP/IPsec and IKEv2 clients reach the server through a stock gateway.

Purpose: proves the ground that every other scenario of IPsec stands on, as l2tp-stock does for
L2TP: the nodes' kernels carry ESP, in UDP and by itself, stock charon works in them with the HA
plugin's pool, and the captures see what an observer of the network sees.

Topology: home1 -- home -- nat1 -- outside -- gw1 (both VIPs, set by hand) -- inside -- server;
client1, client2, client3 -- outside. home1 speaks L2TP/IPsec, behind nat1's one address; the others
IKEv2: with a pre-shared key, with EAP and GCM, with a certificate and ESN.

Steps: gw1 takes the VIPs and starts charon and xl2tpd; the clients dial, ping the server and stream
TCP to it for some seconds; somebody outside sends once more what they have sent; they hang up. No
fault.

Expected: no probe is lost, the streams are intact, each session is set up once; no ESP number is
used twice, no packet is taken twice; after the hang-up no node has an SA, a tunnel or a pppd. L2TP
outside of ESP is counted and not judged: a stock xl2tpd may answer the first SCCRQ before charon
has the outbound SA. The gate of a vpnha gateway holds that back.
"""
import ipaddress

from vpnlab.evidence.expectation import at_least, equals, is_true
from vpnlab.evidence.replay import Eavesdropper
from vpnlab.host.topology import L2TP
from vpnlab.product.ipsec_client import CERTIFICATE_ESN, EAP_GCM, Ikev2Client, L2tpIpsecClient
from vpnlab.product.ipsec_gateway import StockCharon, ipsec_leftovers
from vpnlab.product.l2tp_gateway import StockGateway, take_addresses
from vpnlab.product.sites.home import start_nat
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=("gw1", "client1", "client2", "client3", "server", "nat1", "home1"))


def steps(run: Run) -> None:
    gw1 = run.lab.gateway("gw1")
    xl2tpd, charon = StockGateway(gw1), StockCharon(gw1)
    xl2tpd.configure()
    take_addresses(gw1)
    xl2tpd.start()
    charon.start()
    start_nat(run.lab)
    run.start_echo_server()
    run.wait_for("charon and xl2tpd of gw1 are ready",
                 lambda: charon.ready() and xl2tpd.listening(), deadline_s=15)
    charon.serve()

    clients = [run.client(L2tpIpsecClient(run.lab.node("home1"))),
               run.client(Ikev2Client(run.lab.node("client1"))),
               run.client(Ikev2Client(run.lab.node("client2"), kind=EAP_GCM)),
               run.client(Ikev2Client(run.lab.node("client3"), kind=CERTIFICATE_ESN))]
    eavesdroppers = {client.name: Eavesdropper(run.lab, client.node, client.gateway,
                                               run.out / f"{client.name}-recorded.pcap")
                     for client in clients}
    for client in clients:
        run.step(f"{client.name} dials by {client.protocol}")
        session = client.dial()
        inside = ipaddress.ip_address(session.local) in ipaddress.ip_network(L2TP.virtual_pool)
        run.expect(f"{client.name}_has_virtual_ip", inside, equals(client.protocol == "ikev2"))

    run.step("pings and TCP streams")
    for client in clients:
        client.start_traffic()
    run.observe(3)
    run.step("what the clients have sent is sent again")
    for name, eavesdropper in eavesdroppers.items():
        run.expect(f"{name}_replayed", eavesdropper.replay(gw1), at_least(100))
    run.observe(2)
    for client in clients:
        client.stop_traffic()

    run.step("all hang up")
    for client in clients:
        client.hang_up()
    run.expect_nothing_left([gw1, *(client.node for client in clients)],
                            ipsec_leftovers, deadline_s=15)

    found = run.measure()
    for client in clients:
        seen = found.client(client.name)
        run.expect(f"{seen.name}_pings_sent", seen.pings_sent, at_least(200))
        run.expect(f"{seen.name}_pings_lost", seen.pings_lost, equals(0))
        run.expect(f"{seen.name}_tcp_intact", seen.tcp_intact, is_true())
        run.expect(f"{seen.name}_tcp_resets", seen.tcp_resets, equals(0))
        run.expect(f"{seen.name}_sessions_set_up", len(client.dialled()), equals(1))
        run.expect(f"{seen.name}_ike_exchanges", seen.ike_exchanges, equals(0))
        run.expect(f"{seen.name}_interface_changes", seen.interface_changes, equals(0))
    run.expect("home1_ppp_renegotiations", found.client("home1").ppp_renegotiations, equals(0))
    run.expect("cleartext_l2tp", found.invariants.cleartext_l2tp, at_least(0))
    run.expect("esp_seq_reused", found.invariants.esp_seq_reused, equals(0))
    run.expect("replays_accepted", found.invariants.replays_accepted, equals(0))
