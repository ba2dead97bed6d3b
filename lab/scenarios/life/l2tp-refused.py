# SPDX-License-Identifier: GPL-2.0-or-later
"""A session that the successor's kernel has refused ends at once; its client dials again.

Purpose: what cannot be kept is reported, also where nothing of the session is in the kernel that
could carry the word.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. On the standbys another device
has the name that vpnhad gives to the first session's. The client redials by itself.

Steps: client1 dials; the power of the promoted gateway is cut.

Expected: the session is unprotected on the promoted node and quarantined on the standbys, with the
reason. The successor sends its client StopCCN. The client has a new session within 10 s of the
power cut. Nothing is left of the old one.
"""
from vpnlab.evidence.capture_goodbye import NAMES, STOP_CCN, goodbyes
from vpnlab.evidence.expectation import equals, is_empty
from vpnlab.host.topology import VIP_OUTSIDE
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import L2tpClient, Redial
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.unprotected import hang_up, redial_over_power_cut

SCENARIO = Scenario(faults=1, vpnha=True)
READY_LIMIT_S = 15
REDIAL = Redial(timeout_s=2)
TAKEN = "vpnha0"


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(run.lab, Cluster(run.lab)))
    for node in live.standbys:
        node.run("ip", "tuntap", "add", TAKEN, "mode", "tun")
    dialler = L2tpClient(run.lab.node("client1"), redial=REDIAL)
    dialler.start()
    run.wait_for("client1's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    wire = run.lab.capture("client1", "outside", run.out / "client1-wire.pcap")
    span = redial_over_power_cut(run, live, dialler, TAKEN, "quarantined")
    wire.stop()
    goodbye = goodbyes(wire.path, VIP_OUTSIDE, span)[1]
    run.expect("sent", goodbye.sent, equals([NAMES[STOP_CCN]]))
    run.expect("unanswered", goodbye.unanswered, is_empty())
    for node in live.standbys:
        node.run("ip", "link", "delete", TAKEN)
    hang_up(run, live, dialler)
