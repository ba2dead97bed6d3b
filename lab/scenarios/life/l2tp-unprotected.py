# SPDX-License-Identifier: GPL-2.0-or-later
"""A session that no other node can resume ends at once with its node; its client dials again.

Purpose: what cannot be kept is reported. The sequence numbers of L2TP's data are in the kernel of
the node that counts them, and a session that requires them ends with it. A client that receives
nothing dials again when its LCP echoes are unanswered, half a minute and more later.

Topology: client1 -- outside -- gw1, gw2, gw3 -- inside -- server. The gateways' pppds send and
require sequence numbers, and the client follows; it redials by itself.

Steps: client1 dials; the power of the promoted gateway is cut.

Expected: the session is shown as unprotected on every node, with the reason. Its client
receives PPP's Terminate-Request of the successor, once, and has a new session within 10 s of the
power cut. Nothing is left of the old one.
"""
from vpnlab.evidence.expectation import equals
from vpnlab.product.cluster import Cluster
from vpnlab.product.l2tp_client import PPPD_LOG, L2tpClient, Redial
from vpnlab.product.vpnha_stack import VpnhaStack
from vpnlab.steps.live import begin
from vpnlab.steps.run import Run
from vpnlab.steps.scenario import Scenario
from vpnlab.steps.sessions.unprotected import hang_up, redial_over_power_cut

SCENARIO = Scenario(faults=1, vpnha=True)
READY_LIMIT_S = 15
REDIAL = Redial(timeout_s=2)


def steps(run: Run) -> None:
    live = begin(run, clients=(), observe_s=0, stack=VpnhaStack(
        run.lab, Cluster(run.lab), ppp=["pppol2tp_send_seq", "pppol2tp_recv_seq"]))
    dialler = L2tpClient(run.lab.node("client1"), redial=REDIAL)
    dialler.start()
    run.wait_for("client1's xl2tpd is ready", dialler.ready, READY_LIMIT_S)
    redial_over_power_cut(run, live, dialler, "sequencing")
    output = dialler.node.read(PPPD_LOG) or ""
    run.expect("terminate_requests", output.count("rcvd [LCP TermReq"), equals(1))
    hang_up(run, live, dialler)
