# SPDX-License-Identifier: GPL-2.0-or-later
"""Two WireGuard clients behind one NAT outlive a power cut, and one gets another port before it.

Purpose: the kernel notifies nobody that a client has another port. The records follow within a
second all the same, and the next gateway sends its handshakes to where each client is.

Topology: home1, home2 -- home -- nat1 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: both shake hands and make traffic; nat1 gives all of home other ports; the power of the
promoted gateway is cut.

Expected: both see the silence of a power cut and nothing else.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.product.sites.home import rebind
from vpnlab.product.wireguard.stock import PORT
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence, worst_gap_ms
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.wireguard.live import begin_wireguard

HOMES = ("home1", "home2")
SCENARIO = Scenario(nodes=("gw1", "gw2", "gw3", "server", "nat1", *HOMES), faults=1, vpnha=True)
FIRST_PORT = 40000
REBOUND_MS, OBSERVED_S = 500, 3


def steps(run: Run) -> None:
    live = begin_wireguard(run, clients=HOMES)
    run.step("nat1 gives home1 and home2 other ports")
    rebound_at = run.lab.now()
    rebind(run.lab, FIRST_PORT, PORT)
    run.observe(OBSERVED_S)
    until = run.lab.now()
    run.observe(1)
    live.cut_power(live.active)
    live.stack.wait_protected(len(HOMES))
    run.observe(OBSERVED_S)
    seen = live.end()
    for name in HOMES:
        run.expect(f"{name}_gap_at_its_new_port_ms",
                   worst_gap_ms(seen.client(name), (rebound_at, until)), at_most(REBOUND_MS))
        expect_only_silence(run, seen.client(name), TAKEOVER_MS)
