# SPDX-License-Identifier: GPL-2.0-or-later
"""The RADIUS server is away for all nodes: the gateway stays. Away for one node: the gateway moves.

Purpose: a move mends nothing where no node is answered, and mends all where one of them is.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server, with FreeRADIUS;
cib-templates/probe.crm for l2tp, and later for radius as well.

Steps: client1 dials and makes traffic. The probe is given the server and radius, by
parameters, and every node is answered. FreeRADIUS gets a SIGSTOP for 70 s, and continues. Then a
rule of the promoted node drops what it sends to the server's port of logins.

Expected: while FreeRADIUS stands still no node is marked as answered, the promoted node is not
marked as dead, and nothing moves. With the rule another node serves within 45 s; one move; the node
is marked as dead and its successor as alive; to the client it was a silence of at most 2.5 s.
"""
from vpnlab.evidence.expectation import at_most, equals
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.product.radius import AUTH_PORT, RadiusServer
from vpnlab.product.radius_stack import RadiusStack
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import REPORTED_MS, expect_only_silence
from vpnlab.steps.promoted.dead_service import (
    ANSWERED_S, MOVED_S, expect_marked, marks, of_radius, set_probe, wait_alive)
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=2, vpnha=True)
AWAY_S = 70
FREERADIUS = "freeradius"
RULES = f"""table inet firewall {{
    chain out {{ type filter hook output priority 0; udp dport {AUTH_PORT} drop; }}
}}"""


def wait_answered_everywhere(run: Run, live: Live) -> None:
    names = {node.name for node in run.lab.gateways}
    run.wait_for("RADIUS answers each node", lambda: {
        name for name, mark in of_radius(live, live.active).items() if mark == "alive"} == names,
        ANSWERED_S)


def steps(run: Run) -> None:
    server = run.lab.node("server")
    RadiusServer(run.lab, server)
    live = begin(run, clients=(), observe_s=0, stack=RadiusStack(run.lab, probe="l2tp"))
    stack = live.stack
    live.dial_all({"client1": L2tpClient})
    run.step("the probe asks the RADIUS server as well")
    set_probe(live, {"radius_servers": SERVER_ADDRESS, "protocols": "l2tp radius"})
    wait_answered_everywhere(run, live)
    wait_alive(run, live, live.active)
    promotions = stack.promotions()

    run.step("a SIGSTOP of FreeRADIUS")
    server.stop_process(FREERADIUS)
    run.observe(AWAY_S)
    run.expect("answered", [name for name, mark in of_radius(live, live.active).items()
                            if mark == "alive"], equals([]))
    run.expect("mark", marks(live, live.active).get(live.active.name), equals("alive"))
    run.expect("moves_while_it_is_away", stack.promotions() - promotions, equals(0))
    server.continue_process(FREERADIUS)
    wait_answered_everywhere(run, live)

    live.spare_promoted()
    run.step(f"a rule of {live.active.name}, which is promoted, drops what it sends to RADIUS")
    begun = run.lab.now()
    live.active.note_fault("drop requests to RADIUS")
    live.active.run("nft", "-f", "-", stdin=RULES)
    successor = stack.wait_promoted((node.name for node in live.standbys), MOVED_S)
    run.expect("moved_after_s", round(run.lab.now() - begun, 1), at_most(MOVED_S))
    live.wait_answered()
    wait_alive(run, live, successor)
    run.expect("moves", stack.promotions() - promotions, equals(1))
    expect_marked(run, live, successor)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), REPORTED_MS)
