# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP client of a vpnha gateway dials the same address again when its gateway has lost power.

Purpose: pptpd runs on every node, behind the gate and started before it is needed: the successor
takes new calls beside those that it has taken over, none of the other nodes sends anything, and
their call ids never meet.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server; pptpd in place of xl2tpd.

Steps: client1 dials with MPPE-128, pings the server and streams TCP to it; the power of the
promoted gateway is cut; when another one serves, client1 hangs up and dials again.

Expected: the new session comes up at the successor, and its pings are answered. The calls of both
nodes have ids of their own node. The client saw no RST, and only who served spoke.
"""
import re

from vpnlab.evidence.capture_invariants import pptp_hang_ups
from vpnlab.evidence.expectation import at_least, equals, is_empty
from vpnlab.host.node import Node
from vpnlab.product.cluster import Cluster
from vpnlab.product.pptp_client import PptpDialler
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario

SCENARIO = Scenario(faults=1, vpnha=True)
ANSWERED_LIMIT_S = 10
IDS_OF_A_NODE, IDS_OF_A_CONNECTION = 8, 128
TITLE = re.compile(r"pptpd \[[\d.]+:[\dA-F]{4} - ([\dA-F]{4})\]")


def steps(run: Run) -> None:
    stack = VpnhaStack(run.lab, Cluster(run.lab), pptp=True)
    run.step("three gateways with pptpd, in sync")
    stack.up()
    active = stack.wait_in_sync()
    run.start_echo_server()
    client = run.client(PptpDialler(run.lab.node("client1")))
    run.step(f"client1 dials; {active.name} serves it")
    begun_at = run.lab.now()
    client.dial()
    client.start_traffic()
    run.expect(f"calls_of_{active.name}", shares(active), equals([share(active)]))
    run.observe(3)

    run.step(f"power cut of {active.name}")
    active.power_off()
    successor = stack.wait_promoted()
    run.step(f"{successor.name} serves; client1 hangs up and dials again")
    client.hang_up()
    client.dial()
    answered = client.answered_pings()
    run.wait_for("pings are answered again", lambda: client.answered_pings() > answered,
                 ANSWERED_LIMIT_S)
    run.observe(3)
    run.expect(f"calls_of_{successor.name}", shares(successor), equals([share(successor)]))
    client.stop_traffic()
    client.hang_up()

    seen = run.measure()
    run.expect("sessions_set_up", len(client.dialled()), equals(2))
    run.expect("pings_lost", seen.client("client1").pings_lost, at_least(1))
    # Its own answer to the gateway's last words is a RST: it does not listen any more.
    sent = pptp_hang_ups(client.files.outside, client.gateway.vip_outside,
                         (begun_at, run.lab.now()))
    run.expect("resets_by_the_gateway", [each for each in sent if "RST" in each], is_empty())
    run.expect("standby_frames", seen.standby_frames, is_empty())


def share(node: Node) -> int:
    return node.spec.id * IDS_OF_A_NODE


def shares(node: Node) -> list[int]:
    """Of the node's calls, what its id adds to what pptpd counts."""
    listed = node.run("ps", "-eo", "args").stdout
    return [int(call, 16) % IDS_OF_A_CONNECTION for call in TITLE.findall(listed)]
