# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that loses its power dials again from the same address and port, and is served.

Purpose: a phone that was switched off, a router that was restarted: nobody has notified the gateway
that the session is over, and the new tunnel comes from where the old one came.

Topology: client1, client2 -- outside -- gw1, gw2, gw3 -- inside -- server.

Steps: client1 dials and makes traffic, client2 dials. client2's power is cut; it is switched on and
dials again, while the gateway's stock daemons still serve its old session. The power of the gateway
is cut, vpnhad of the successor serves, and client2 does the same again.

Expected: each time client2's pings are answered within 10 s of its dialling; client1 sees the
silence of the power cut and nothing else; of client2's old sessions nothing is left.
"""
from vpnlab.evidence.expectation import at_most
from vpnlab.host.node import Node
from vpnlab.host.topology import DEFAULT_NODES
from vpnlab.product.l2tp_client import L2tpClient
from vpnlab.product.probes import SERVER_ADDRESS
from vpnlab.steps.live import Live, begin
from vpnlab.steps.promise import TAKEOVER_MS, expect_only_silence
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(nodes=(*DEFAULT_NODES, "client2"), faults=3, vpnha=True)
SERVED_LIMIT_S, READY_LIMIT_S, PATIENCE_S = 10, 15, 30
# pppd of a gateway asks every 30 s for echoes, and waits for four of them.
FORGOTTEN_LIMIT_S = 150


def steps(run: Run) -> None:
    live = begin(run)
    dial(run)
    live.stack.wait_protected(2)
    run.step("client2 loses its power, and dials again: its old session is a stock one")
    run.expect("stock_served_s", dial_anew(run), at_most(SERVED_LIMIT_S))
    wait_forgotten(run, live, live.active)
    live.stack.wait_protected(2)
    successor = live.cut_power(live.active)
    live.stack.wait_protected(2)
    run.step("client2 loses its power, and dials again: its old session was taken over")
    run.expect("resumed_served_s", dial_anew(run), at_most(SERVED_LIMIT_S))
    wait_forgotten(run, live, successor)
    dialler = L2tpClient(run.lab.node("client2"))
    dialler.hang_up()
    run.wait_for("client2 has hung up", dialler.gone, SERVED_LIMIT_S)
    seen = live.end()
    expect_only_silence(run, seen.client("client1"), TAKEOVER_MS)


def wait_forgotten(run: Run, live: Live, node: Node) -> None:
    run.wait_for("client2's old session is gone", lambda: len(live.stack.sessions(node)) == 2,
                 FORGOTTEN_LIMIT_S)


def dial_anew(run: Run) -> float:
    run.lab.node("client2").power_off()
    run.lab.power_on("client2")
    return dial(run)


def dial(run: Run) -> float:
    """Seconds from the dialling to the first answered ping."""
    node = run.lab.node("client2")
    dialler = L2tpClient(node)
    dialler.start()
    run.wait_for("client2's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    begun = run.lab.now()
    dialler.dial()
    run.wait_for("client2's pings are answered", lambda: dialler.up() and node.run(
        "ping", "-n", "-c", "1", "-W", "0.5", SERVER_ADDRESS, check=False).code == 0, PATIENCE_S)
    return round(run.lab.now() - begun, 2)
