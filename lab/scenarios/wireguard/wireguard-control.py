# SPDX-License-Identifier: GPL-2.0-or-later
"""Today's stack with WireGuard: the cluster moves the addresses, and the client notices after 15 s.

Purpose: the control of wireguard-power-cut. Nothing of vpnha runs: all gateways have the same key
and the same peers, as guides have it, and the device comes with the addresses.

Topology: home1 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: IPaddr2 and a stock device in a group on one gateway; home1 has a stock `wg`, pings the
server and streams TCP to it; the power of that gateway is cut.

Expected: another gateway speaks for the VIP, and answers the client at last: it is silent for 10 to
40 s, because the client begins a handshake only when it has sent for 15 s and received nothing.
"""
from vpnlab.evidence.expectation import at_least, between
from vpnlab.product.cluster import Cluster
from vpnlab.product.sites.home import start_nat
from vpnlab.product.wireguard.stock import (STOCK_COMMAND, STOCK_PID_FILE, WireguardClient,
                                            configure_stock)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.todays_stack import cut_power, deploy

SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", "home1"), faults=1)
FOUND_LIMIT_S, AFTERWARDS_S = 60, 3
SILENCE_MS = (10_000, 40_000)


def steps(run: Run) -> None:
    start_nat(run.lab)
    cluster = Cluster(run.lab)
    run.step("corosync and pacemaker start on three gateways")
    cluster.up()
    for node in cluster.nodes:
        configure_stock(node, ["home1"])
    run.step("IPaddr2 and a stock device")
    active = deploy(cluster, "wireguard", STOCK_PID_FILE, STOCK_COMMAND)

    run.step(f"home1 dials; {active.name} serves it")
    run.start_echo_server()
    client = run.client(WireguardClient(run.lab.node("home1")))
    client.dial()
    cluster.tune()
    client.start_traffic()
    run.observe(3)

    successor = cut_power(run, cluster, active, "wireguard")
    run.step(f"{successor} has the group")
    answered = client.answered_pings()
    run.wait_for("pings of home1 are answered again",
                 lambda: client.answered_pings() > answered, FOUND_LIMIT_S)
    run.observe(AFTERWARDS_S)
    client.stop_traffic()

    seen = run.measure()
    run.expect("served_by_another", len({owner.node for owner in seen.owners}), at_least(2))
    run.expect("home1_outage_ms", seen.client("home1").outage_ms, between(*SILENCE_MS))
